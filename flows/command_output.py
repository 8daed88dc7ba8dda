"""What the command line prints: progress on stderr, the answer on stdout."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import click

from assumptions._ledger import Ledger
from assumptions._plan_view import PlanView
from assumptions._registry import claims
from assumptions._report_summary import WAIVED, advice_lines, summary_lines
from assumptions._verdict import Decision, Verdict
from flows.plan_output import plan_json, print_plan
from flows.run import evidence_root
from inventories.errors import BadInput, Problem
from inventories.load import load, names

COLOURS = {"GO": "green", "GO-WITH-WAIVERS": "red", "HOLDS": "green", "NO-GO": "red", "UNKNOWN": "yellow"}


def narrate() -> None:
    """Progress lines to stderr, with the time."""
    log = logging.getLogger("beachhead")
    log.setLevel(logging.INFO)
    if not any(isinstance(handler, logging.StreamHandler) for handler in log.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s  %(message).160s", "%H:%M:%S"))
        log.addHandler(handler)
        log.propagate = False


def problem(fault: Problem) -> None:
    """What, where, what next."""
    click.secho("error: ", fg="red", bold=True, err=True, nl=False)
    click.echo(str(fault), err=True)


def find_run(inventory: str, run_id: str | None) -> Path:
    """A run's folder."""
    root = evidence_root() / load(inventory).name
    runs = sorted(path.parent for path in root.glob("*/run.json"))
    if run_id is not None:
        runs = [path for path in runs if path.name == run_id]
    if not runs:
        raise BadInput(
            f"no finished run{f' called {run_id}' if run_id else ''} of {inventory}",
            where=str(root),
            fix=f"run `beachhead validate {inventory}` or another flow first",
        )
    return runs[-1]


def _verdict(facts: dict[str, Any]) -> Verdict:
    told = facts["verdict"]
    return Verdict(
        Decision(told["decision"]),
        told["because"],
        told["scope"],
        told["counts"],
        tuple(told["blocking"]),
        tuple(told["unresolved"]),
        tuple(told.get("waived", ())),
    )


def _claim(line: dict[str, Any]) -> dict[str, Any]:
    """A judgement of the ledger, without what only `verify` needs; nothing for the ledger's first and last line."""
    kept = {key: value for key, value in line.items() if key not in ("sums", "observation")}
    return kept if line.get("record", "claim") == "claim" else {}


def ended(folder: Path, *, as_json: bool, plan: PlanView | None = None) -> int:
    """Print how a run ended; returns the exit status: 0 open, 1 not, 2 stopped by a fault."""
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    verdict, fault = _verdict(facts), facts.get("problem")
    page = folder / "report.html"
    if as_json:
        lines = (folder / "evidence.jsonl").read_text(encoding="utf-8") if (folder / "evidence.jsonl").exists() else ""
        told = {
            "decision": verdict.decision,
            "because": verdict.because,
            "scope": verdict.scope,
            "problem": fault,
            "changes": facts["changes"],
            "waived": verdict.waived,
            "claims": [claim for line in lines.splitlines() if (claim := _claim(json.loads(line)))],
            "report": str(page),
            **plan_json(folder),
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _print(verdict, facts, folder, page, plan)
    if fault:
        problem(Problem(fault["what"], where=fault["where"], fix=fault["fix"]))
        return 2
    return 0 if verdict.open else 1


def _print(verdict: Verdict, facts: dict[str, Any], folder: Path, page: Path, plan: PlanView | None) -> None:
    records = Ledger(folder).read()
    first, *rest = summary_lines(verdict, records, facts["kind"], advice=plan is None)
    click.secho(first, fg=COLOURS.get(str(verdict.decision)), bold=True)
    for line in rest:
        click.secho(line, fg="red" if line.startswith(WAIVED) else None)
    if facts["flow"] not in ("plan", "validate") and not facts["problem"]:
        done = len(facts["changes"])
        click.echo(f"changed on hosts: {done} steps" if done else "changed on hosts: nothing, everything was in place")
    if plan is not None:
        print_plan(plan)
        for line in advice_lines(records):
            click.echo(line)
        click.echo()
        click.secho(first, fg=COLOURS.get(str(verdict.decision)), bold=True)  # again: the top has scrolled away
    if facts["model_revision"] == "not pinned":
        click.echo(
            "note: the model's revision is not pinned; fetch and deploy refuse until model.revision is 40 hex digits"
        )
    click.echo(f"report: {page}")


def dry_run(inventory: str, *, as_json: bool) -> int:
    """What prepare would do; returns the exit status: 2 where a host could not be asked."""
    from flows.dry_run import dry_run as work  # here: it opens SSH connections, which other commands need not load
    from flows.dry_run_print import dry_run_lines

    done = work(inventory)
    told = json.dumps(done.to_json(), ensure_ascii=False, indent=1) if as_json else "\n".join(dry_run_lines(done))
    click.echo(told)
    return 2 if done.failed else 0


def inventories(as_json: bool) -> None:
    """A line an inventory."""
    rows = [load(name) for name in names()]
    if as_json:
        click.echo(json.dumps([row.model_dump(mode="json") for row in rows], indent=1))
        return
    for row in rows:
        hosts = ", ".join(f"{host.gpus}x {host.gpu}" if host.gpu else f"{host.cpu_cores} cores" for host in row.hosts)
        click.echo(f"{row.name:22} {hosts:28} {row.model.catalog:18} {row.serving.context_tokens:>7,} tokens")
        click.echo(f"{'':22} {row.title}")


def assumptions(as_json: bool) -> None:
    """A line a claim."""
    if as_json:
        keys = ("id", "guide", "states", "stages", "severity", "remedy", "version")
        click.echo(json.dumps([{key: getattr(each, key) for key in keys} for each in claims()], indent=1))
        return
    for each in claims():
        click.echo(f"{each.id:18} {', '.join(each.stages):16} {each.guide}")
        click.echo(f"{'':18} {each.states}")
