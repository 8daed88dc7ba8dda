"""`beachhead diff`: what changed from one run to another."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict

import click

from assumptions._diff import Change, diff
from assumptions._report_text import clean
from flows.find_run import run_folder


@click.command(name="diff")
@click.argument("run1")
@click.argument("run2")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def diff_command(run1: str, run2: str, as_json: bool) -> None:
    """What changed from RUN1 to RUN2: verdicts, values, environment, and what they were judged by.

    \b
    Example: beachhead diff 20261122T154846Z-d6b2 rehearsal
    """
    one, other = run_folder(run1), run_folder(run2)
    changes = diff(one, other)
    if as_json:
        told = {"before": str(one), "after": str(other), "changes": [asdict(each) for each in changes]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    click.echo(f"{one.name} -> {other.name}" + ("" if changes else ": nothing changed but times"))
    last = ""
    for change in changes:
        if change.what != last:
            click.secho(clean(change.what), bold=True)
            last = change.what
        click.echo(_line(change))


def _line(change: Change) -> str:
    before, after = (
        "none" if each is None else textwrap.shorten(clean(each), 110, placeholder=" …") or '""'
        for each in (change.before, change.after)
    )
    return f"  {change.field}: {before} -> {after}"
