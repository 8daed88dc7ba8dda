"""JSON Lines: a judgement a line, flat enough for a table; without observations and raw records."""

from __future__ import annotations

import json

from assumptions._exports.base import Exported
from assumptions._plain import plain

DROPPED = ("finding", "observation", "not_again", "trail", "trail_sha256")


def export(run: Exported) -> str:
    """One JSON object a line, the run's decision in each."""
    head = {"run": run.run, "inventory": run.inventory, "decision": run.decision}
    lines = []
    for record in run.records:
        told = plain(record)
        finding = told["finding"]
        body = {key: value for key, value in told.items() if key not in DROPPED}
        lines.append(json.dumps({**head, **body, **finding}, ensure_ascii=False))
    return "".join(f"{line}\n" for line in lines)
