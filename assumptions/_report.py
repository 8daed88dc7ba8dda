"""The report of one run, for the person who decides: one HTML file that needs nothing else, and the same in Markdown.

Nothing is judged here.  Every text that comes from outside is escaped where it is printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assumptions._core import Evidence, Outcome, Severity
from assumptions._ledger import write_whole
from assumptions._report_summary import summary_lines
from assumptions._report_words import meaning, obstacles, word
from assumptions._tables import TablesResult
from assumptions._verdict import Verdict, blocks

if TYPE_CHECKING:
    from assumptions._plan_view import PlanView

__all__ = ["RunFacts", "StageLine", "render", "summary_lines"]
WHOLE_RECORDS = 60  # raw records of one claim that the page shows
OUTCOMES = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class StageLine:
    """One stage of the flow: how it ended, in one word, and how long it took."""

    name: str
    outcome: str
    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known about the run itself.  `changes` is what it changed on hosts, and empty when nothing was."""

    run_id: str
    inventory_name: str
    inventory_title: str
    kind: str  # rehearsal or production
    flow: str
    started_at: datetime
    ended_at: datetime
    product_commit: str
    model: str
    model_revision: str
    engine: str
    hosts: tuple[str, ...]
    proves: tuple[str, ...] = ()
    does_not_prove: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    stages: tuple[StageLine, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    simulated: tuple[str, ...] = ()  # hosts whose hardware is scripted, and what of it


def render(
    run: RunFacts,
    verdict: Verdict,
    evidence: Sequence[Evidence],
    tables: TablesResult,
    trail: Sequence[Mapping[str, Any]],
    folder: Path,
    plan: PlanView | None = None,
    *,
    png: bool = True,
) -> tuple[Path, Path]:
    """Write `folder`/report.md and `folder`/report.html, and give both paths in that order.

    With a plan its pictures stand in the page, and with `png` beside it too, as files in `folder`/pictures.
    """
    from assumptions._report_page import page  # here, because templates take longer to import than all the rest

    docs = tables.data_docs
    view = {
        "run": run,
        "verdict": verdict,
        "word": word(verdict.decision, run.kind),
        "meaning": meaning(verdict.decision, run.kind),
        **_records(evidence),
        "obstacles": obstacles(verdict, evidence),
        "tables": tables,
        "docs": docs.relative_to(folder).as_posix() if docs and docs.is_relative_to(folder) else docs,
        "trail": {str(each.get("id")): each for each in trail},
        "bars": _bars(run.stages),
        "whole_records": WHOLE_RECORDS,
        **_planned(plan, folder if png else None),
    }
    paths = folder / "report.md", folder / "report.html"
    for path in paths:
        write_whole(path, page(path.name, view))
    return paths


def _records(evidence: Sequence[Evidence]) -> dict[str, Any]:
    """Every record with its anchor: what may block apart from what the documents say."""
    anchored = [(f"claim-{n}", each) for n, each in enumerate(evidence, start=1)]
    records = [pair for pair in anchored if pair[1].severity is not Severity.ADVISORY]
    advisory = [pair for pair in anchored if pair[1].severity is Severity.ADVISORY]
    found = [e.finding.outcome for _, e in records]
    return {
        "records": records,
        "advisory": advisory,
        "excused": [pair for pair in records if not blocks(pair[1])],
        "counts": [(outcome, found.count(outcome)) for outcome in OUTCOMES],
    }


def _planned(plan: PlanView | None, folder: Path | None) -> dict[str, Any]:
    """What the plan's sections print; draws its pictures, and with a folder writes them there as PNG files."""
    if plan is None:
        return {"plan": None}
    from assumptions import _plan_pictures, _plan_tables
    from assumptions._plan_view import BLOCKS, MARKS
    from assumptions._report_page import drawing

    fit, cost = _plan_pictures.fit_pictures(plan), _plan_pictures.cost_pictures(plan.cost)
    written = {path.stem for path in _plan_pictures.write([*fit, *cost], folder)} if folder else set()
    blocks_shown = [(words, [a for a in plan.alternatives if a.block == block]) for block, words in BLOCKS.items()]
    return {
        "plan": plan,
        "fit_pictures": [(each.name, drawing(each.svg), each.name in written) for each in fit],
        "cost_pictures": [(each.name, drawing(each.svg), each.name in written) for each in cost],
        "budget": _plan_tables.budget_lines(plan),
        "fit_figures": _plan_tables.fit_figures(plan),
        "alternatives": [(words, rows) for words, rows in blocks_shown if rows],
        "marks": MARKS,
    }


def _bars(stages: Sequence[StageLine]) -> list[tuple[StageLine, float, float]]:
    """Each stage with its start and width in per cent of the whole."""
    total = sum(stage.seconds for stage in stages) or 1.0
    out, start = [], 0.0
    for stage in stages:
        width = 100 * stage.seconds / total
        out.append((stage, round(min(start, 99.4), 2), round(max(width, 0.6), 2) if stage.seconds else 0.0))
        start += width
    return out
