"""A drill for a person: one line a claim, each miss and each false alarm, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assumptions._report_text import clean


def lines(drilled: Mapping[str, Any]) -> Iterator[str]:
    """The table, what went wrong, the claims that were not drilled, the totals."""
    width = max((len(row["claim"]) for row in drilled["claims"]), default=5)
    yield f"{'claim':<{width}}  {'seen':>7}  {'false alarms':>12}  where"
    for row in drilled["claims"]:
        counts = f"{row['seen']}/{row['played']}"
        alarms = f"{row['false_alarms']}/{row['healthy_runs']}"
        yield f"{row['claim']:<{width}}  {counts:>7}  {alarms:>12}  {', '.join(row['grounds'])}"
    yield ""
    yield from _wrong(drilled)
    if drilled["unproven"]:
        yield f"not drilled here: {', '.join(drilled['unproven'])}"
    for name, figures in drilled["grounds"].items():
        yield f"{name + ':':<27} {_sentence(figures)}"
    yield f"{'in all:':<27} {_sentence(drilled['totals'])}"


def _wrong(drilled: Mapping[str, Any]) -> Iterator[str]:
    for pair in drilled["pairs"]:
        if not pair["seen"]:
            yield f"MISSED       {pair['claim']}: {pair['fault']}: {pair['outcome']}: {clean(pair['because'])[:140]}"
    for run in drilled["healthy"]:
        if run["outcome"] == "FAIL":
            yield f"FALSE ALARM  {run['claim']} at {run['stage']}: {clean(run['because'])[:140]}"


def _sentence(figures: Mapping[str, Any]) -> str:
    seen, played = figures["seen"], figures["played"]
    share = f" ({seen / played:.1%})" if played else ""
    faults = f"{seen} of {played} faults seen{share}"
    return f"{faults}, {figures['false_alarms']} false alarms in {figures['healthy_runs']} healthy runs"
