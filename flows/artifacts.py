"""What a run leaves in Prefect's UI: a table for each stage, the report, a link to its page.  Nothing outside a run."""

from __future__ import annotations

import os
from collections.abc import Sequence

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.context import FlowRunContext

from assumptions._core import Stage
from assumptions._verdict import Verdict
from flows.run import Run
from tasks.operations.base import Change


def _watched() -> bool:
    return FlowRunContext.get() is not None


def report_address(run: Run) -> str:
    """The report's page: below $BEACHHEAD_REPORTS_URL where reports are served, else a file address."""
    page = run.folder / "report.html"
    base = os.environ.get("BEACHHEAD_REPORTS_URL")
    return f"{base.rstrip('/')}/{run.inventory.name}/{run.site.run_id}/report.html" if base else page.as_uri()


def stage(run: Run, at: Stage, verdict: Verdict) -> None:
    """One row a claim."""
    if not _watched():
        return
    rows = [
        {
            "claim": record.claim,
            "outcome": str(record.finding.outcome),
            "because": record.finding.because[:300],
            "measured": record.finding.measured[:200],
            "seconds": record.seconds,
        }
        for record in run.ledger.read()
        if record.stage is at
    ]
    said = f"{verdict.decision} at {at}: {verdict.because}"
    create_table_artifact(rows or [{"claim": "none is judged here"}], key=_key(run, f"judge-{at}"), description=said)


def changes(run: Run, step: str, made: Sequence[Change]) -> None:
    """One line an operation, with what it did."""
    if _watched():
        lines = "\n".join(f"- {change}" for change in made)
        create_markdown_artifact(f"## {step}\n\n{lines}\n", key=_key(run, step), description=step)


def report(run: Run) -> None:
    """The whole report as Markdown, and the link to its page."""
    if _watched():
        text = (run.folder / "report.md").read_text(encoding="utf-8")
        create_markdown_artifact(text, key=_key(run, "report"), description="the run's report")
        create_link_artifact(report_address(run), link_text="report.html", key=_key(run, "report-page"))


def _key(run: Run, what: str) -> str:
    return f"{run.inventory.name}-{what}"
