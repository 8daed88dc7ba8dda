"""A pytest plugin that writes down what the tests give each judge, and the choice of a case from that.

`pytest -p tests.recorded.claims.harvest`, with the file to write in BEACHHEAD_HARVEST.  Each line: claim, outcome, test
and case.  What does not come back from JSON with the same outcome is left out.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assumptions._core import Finding, Outcome
from assumptions._observation import NotAgain
from assumptions._registry import Claim, claims
from inventories.schema import Inventory
from tests.recorded.claims.case import NEEDED, Case, Refused, made

ROOT = Path(__file__).parents[3]
STANDS_IN = "a100x8"  # for a test that gives a judge no inventory: one in which something is bought
ELSEWHERE = ("test_observation", "test_diff", "test_seal", "test_report", "test_judge")  # not about the claim
_running = {"test": ""}


def pytest_configure(config: object) -> None:
    """Before any test module takes a judge by its name."""
    if file := os.environ.get("BEACHHEAD_HARVEST"):
        for claim in claims():
            _listen(claim, Path(file))


def pytest_runtest_setup(item: Any) -> None:
    """Remember which test runs."""
    _running["test"] = item.nodeid


def _listen(claim: Claim, file: Path) -> None:
    module = sys.modules[f"assumptions.{claim.id.replace('-', '_')}"]
    asked = claim.judge

    @functools.wraps(asked)
    def judge(seen: Any, inventory: Any) -> Finding:
        finding = asked(seen, inventory)
        if finding.outcome in NEEDED:
            _note(claim, seen, inventory, finding, file)
        return finding

    object.__setattr__(claim, "judge", judge)
    vars(module)["judge"] = judge


def _note(claim: Claim, seen: Any, inventory: Any, finding: Finding, file: Path) -> None:
    where = inventory if isinstance(inventory, Inventory) else STANDS_IN
    test = _running["test"]
    try:
        case = made(claim.id, finding.outcome, seen, where, f"built: {test}")
    except (NotAgain, Refused, ValueError):
        return
    odd = [part for part in finding.parts if part.outcome is not Outcome.PASS]
    line = {"own": _own(claim.id, test), "parts": len(finding.parts), "odd": len(odd), "case": asdict(case)}
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")


def _own(claim_id: str, test: str) -> bool:
    return f"test_claim_{claim_id.replace('-', '_')}.py" in test


def harvested(tests: Iterable[str]) -> list[dict[str, Any]]:
    """Everything that these tests gave a judge."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "harvest.jsonl"
        file.touch()
        command = [sys.executable, "-m", "pytest", "-q", "-m", "not e2e", "-p", "tests.recorded.claims.harvest"]
        environment = {**os.environ, "BEACHHEAD_HARVEST": str(file)}
        subprocess.run([*command, *tests], env=environment, check=False, cwd=ROOT)
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def chosen(lines: list[dict[str, Any]], claim_id: str) -> Iterator[Case]:
    """For each outcome the fullest observation of the claim's own tests with the fewest faults, that stands again."""
    for outcome in NEEDED:
        fit = [each for each in lines if (each["case"]["claim"], each["case"]["outcome"]) == (claim_id, outcome)]
        for each in sorted(fit, key=_rank):
            case = Case(**{**each["case"], "outcome": outcome})
            try:
                again = case.finding()
            except NotAgain:
                continue
            if again.outcome is outcome and not again.because.startswith("could not look"):
                yield case
                break


def _rank(line: dict[str, Any]) -> tuple[Any, ...]:
    size = len(json.dumps(line["case"]))
    return (
        not line["own"],
        not line["parts"],
        line["odd"],
        size > 20_000,
        -line["parts"],
        size,
        line["case"]["source"],
    )
