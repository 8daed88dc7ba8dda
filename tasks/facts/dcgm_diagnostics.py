"""NVIDIA's own quick test of a host's GPUs and software (dcgmi diag)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tasks.facts.reading import filled, needs, understood

FAILED, PASSED = ("fail", "error"), ("pass",)


@dataclass(frozen=True, slots=True)
class DcgmTest:
    """One test on one GPU or group, in DCGM's words: "Pass", "Fail", "Warn", "Skip", "Error"."""

    name: str
    on: str
    status: str
    said: str

    @property
    def failed(self) -> bool:
        """Whether the GPU or the host did not stand the test."""
        return self.status.lower() in FAILED

    @property
    def passed(self) -> bool:
        """Whether it stood it."""
        return self.status.lower() in PASSED


@dataclass(frozen=True)
class DcgmDiagnosticsFact:
    """Every DcgmTest of one `level`: 1 takes seconds, 2 about two minutes, 3 about fifteen.

    It ends with another status than 0 where a test fails, so its JSON counts and not its status.
    Sample: {"DCGM Diagnostic": {"test_categories": [{"category": "Deployment", "tests": [{"name": "software",
    "results": [{"gpu_ids": "0", "status": "Pass"}]}]}]}}; DCGM 4 names entity_group and entity_id instead.
    """

    level: int = 1

    @property
    def command(self) -> str:
        """The JSON on stdout, whatever the status."""
        return f"{needs('dcgmi')}; LC_ALL=C dcgmi diag -r {self.level} -j || :"

    @understood
    def parse(self, stdout: str) -> tuple[DcgmTest, ...]:
        """One DcgmTest a result; no test at all is not understood."""
        told: Any = json.loads(stdout[stdout.index("{") :])
        try:
            (report,) = [value for key, value in told.items() if key.startswith("DCGM") and "test_categories" in value]
            tests = [test for category in report["test_categories"] for test in category["tests"]]
            found = tuple(_test(str(test["name"]), result) for test in tests for result in test["results"])
        except (AttributeError, TypeError):
            raise ValueError("another shape of JSON") from None
        if not found:
            raise ValueError("no test was run")
        return found


def _test(name: str, result: dict[str, Any]) -> DcgmTest:
    on = result.get("gpu_ids") or f"{result.get('entity_group', '')} {result.get('entity_id', '')}"
    said = result.get("warnings") or result.get("info") or ""
    return DcgmTest(name, str(on).strip(), filled(str(result["status"])), said if isinstance(said, str) else str(said))
