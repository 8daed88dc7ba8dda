"""CTRF (Common Test Report Format), JSON: a test a claim and stage.  An UNKNOWN is "other": neither pass nor skip."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from assumptions._core import Evidence, Outcome
from assumptions._exports.base import Exported
from assumptions._plain import plain

SPEC = "1.0.0"
STATUS = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.NOT_APPLICABLE: "skipped",
    Outcome.UNKNOWN: "other",
}


def export(run: Exported) -> str:
    """The report; times are milliseconds since 1970."""
    tests = [_test(record) for record in run.records]
    found = Counter(str(test["status"]) for test in tests)
    summary = {
        "tests": len(tests),
        **{status: found[status] for status in ("passed", "failed", "skipped", "pending", "other")},
        "start": min((test["start"] for test in tests), default=0),
        "stop": max((test["stop"] for test in tests), default=0),
        "extra": {"decision": run.decision, "because": run.because},
    }
    tool = {"name": "beachhead", "version": run.product.removeprefix("beachhead ")}
    report = {
        "reportFormat": "CTRF",
        "specVersion": SPEC,
        "generatedBy": run.product,
        "extra": {"run": run.run, "inventory": run.inventory},
        "results": {"tool": tool, "summary": summary, "tests": tests},
    }
    return json.dumps(report, ensure_ascii=False, indent=1) + "\n"


def _test(record: Evidence) -> dict[str, Any]:
    start, duration = round(record.started_at.timestamp() * 1000), round(record.seconds * 1000)
    finding = record.finding
    return {
        "name": f"{record.claim} ({record.stage})",
        "status": STATUS[finding.outcome],
        "rawStatus": str(finding.outcome),
        "duration": duration,
        "start": start,
        "stop": start + duration,
        "suite": [str(record.stage)],
        "message": finding.because,
        "tags": [str(record.severity), str(finding.provenance)],
        "extra": {
            "expected": finding.expected,
            "measured": finding.measured,
            "threshold": finding.threshold,
            "threshold_source": finding.threshold_source,
            "value": plain(finding.value),
            "unit": finding.unit,
            "interval": plain(finding.interval),
            "samples": finding.samples,
            "limit": plain(finding.limit),
            "sense": None if finding.limit is None else str(finding.sense),
        },
    }
