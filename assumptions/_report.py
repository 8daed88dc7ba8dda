"""The report of one run, for the person who decides: one HTML file that needs nothing else, and the same in Markdown.

Nothing is judged here.  Every text that comes from outside is escaped where it is printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assumptions._core import Evidence, Provenance, Severity, Stage
from assumptions._drill_figures import drilled
from assumptions._ledger import write_whole
from assumptions._report_price import Price
from assumptions._report_records import ORDER, Shown, shown
from assumptions._report_signatory import FEWER, ROWS, signatory
from assumptions._report_summary import summary_lines
from assumptions._report_words import meaning, obstacles, word
from assumptions._tables import TablesResult
from assumptions._verdict import Verdict
from assumptions._waivers import Waiver

if TYPE_CHECKING:
    from assumptions._plan_view import PlanView

__all__ = ["RunFacts", "StageLine", "render", "summary_lines"]
WHOLE_RECORDS = 60  # raw records of one claim that the page shows


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
    waivers: tuple[Waiver, ...] = ()  # those that counted
    price: Price | None = None  # of the declared machine; None where nothing is bought


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

    docs, found = tables.data_docs, obstacles(verdict, evidence)
    records = shown(evidence, run.inventory_name, run.price, drilled(folder).words)
    view = {
        "run": run,
        "verdict": verdict,
        "word": word(verdict.decision, run.kind),
        "meaning": meaning(verdict.decision, run.kind),
        **_records(records),
        "sign": signatory(verdict, found, records, run.inventory_name, run.price, run.waivers, _rows(run)),
        "obstacles": found,
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


def _rows(run: RunFacts) -> int:
    return FEWER if run.kind == "rehearsal" or run.simulated or run.waivers else ROWS


def _records(every: Sequence[Shown]) -> dict[str, Any]:
    """What may block apart from what the documents say; and what of each kind there is, for the filters."""
    records = [each for each in every if not each.advisory]
    found = [each.record.finding.outcome for each in records]
    return {
        "records": records,
        "advisory": [each for each in every if each.advisory],
        "excused": [each for each in records if not each.blocks],
        "counts": [(outcome, found.count(outcome)) for outcome in ORDER],
        "choices": {
            "outcome": [o for o in ORDER if any(e.record.finding.outcome is o for e in every)],
            "stage": [s for s in Stage if any(e.record.stage is s for e in every)],
            "severity": [s for s in Severity if any(e.record.severity is s for e in every)],
            "provenance": [p for p in Provenance if any(e.record.finding.provenance is p for e in every)],
        },
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
