"""What a drill leaves behind: drill.json in its own folder, and the inventory's newest figures beside its runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assumptions._drill_figures import FORM, NAME
from assumptions._judge import product
from assumptions._ledger import write_json
from assumptions._registry import claim, claims
from flows.drill import Results
from flows.drill_score import Score, by_claim, score, seen, usual
from inventories.errors import BadInput
from tasks.hosts import now


def rows(results: Results, run: str) -> list[dict[str, Any]]:
    """One a claim, as a report reads them."""
    at = now().isoformat(timespec="seconds")
    return [
        {
            "claim": name,
            "version": claim(name).version,
            **_figures(figures),
            "grounds": _grounds(results, name),
            "at": at,
            "product": product(),
            "run": run,
        }
        for name, figures in by_claim(results.played, results.calm).items()
    ]


def _grounds(results: Results, name: str) -> list[str]:
    places = {(each.claim, each.ground) for each in results.played}
    return sorted(ground for claim_id, ground in places if claim_id == name)


def _figures(found: Score) -> dict[str, Any]:
    return {
        "seen": found.seen,
        "played": found.played,
        "false_alarms": found.false_alarms,
        "healthy_runs": found.healthy_runs,
        "missed": list(found.missed),
    }


def told(results: Results, inventory: str, run: str) -> dict[str, Any]:
    """The whole drill: each claim's figures, each pair, each healthy run, and what they come to."""
    before = usual(results.calm)
    grounds = sorted({each.ground for each in results.played})
    return {
        "form": FORM,
        "inventory": inventory,
        "run": run,
        "claims": rows(results, run),
        "totals": _figures(score(results.played, results.calm)),
        "grounds": {
            ground: _figures(
                score(
                    [each for each in results.played if each.ground == ground],
                    [each for each in results.calm if each.ground == ground],
                )
            )
            for ground in grounds
        },
        "unproven": sorted({each.id for each in claims()} - {each.claim for each in results.played}),
        "pairs": [{**asdict(each), "seen": seen(each, before)} for each in results.played],
        "healthy": [asdict(each) for each in results.calm],
    }


def keep(results: Results, drilled: dict[str, Any], folder: Path) -> Path:
    """Write both files.  A claim of which only a part was played keeps the figures that it had."""
    write_json(folder / NAME, drilled)
    newest = folder.parent / NAME
    fresh = [row for row in drilled["claims"] if row["claim"] in results.whole]
    names = {row["claim"] for row in fresh}
    kept = [row for row in _before(newest) if row["claim"] not in names]
    merged = sorted([*kept, *fresh], key=lambda row: str(row["claim"]))
    write_json(newest, {"form": FORM, "inventory": drilled["inventory"], "claims": merged})
    return newest


def _before(file: Path) -> Sequence[dict[str, Any]]:
    """The rows of the drills before; a file that can't be read is not thrown away."""
    if not file.exists():
        return []
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        if value["form"] == FORM:
            return list(value["claims"])
        why = f"it has the form {value['form']!r}"
    except (ValueError, KeyError, TypeError) as error:
        why = f"{type(error).__name__}: {error}"
    raise BadInput(f"the figures of earlier drills can't be read: {why}", where=str(file), fix="move the file away")
