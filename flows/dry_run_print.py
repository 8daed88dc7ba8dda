"""A dry run as text: for each host what is missing, why, the command, and what can't be undone."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from flows.dry_run import DryRun, HostPlan, Planned
from tasks.operations.base import Step

NO_UNDO = "There is no undo: what no command brings back is marked below, and said again before it is done."


def dry_run_lines(run: DryRun) -> Iterator[str]:
    """The whole page, line by line."""
    yield f"dry run of prepare {run.inventory}: facts were read, nothing was changed"
    yield NO_UNDO
    for host in run.hosts:
        yield ""
        yield from _host(host)
    yield ""
    steps = [step for host in run.hosts for each in host.planned for step in each.steps]
    yield _sum(run, steps)
    yield f"raw record: {run.folder}"


def _sum(run: DryRun, steps: list[Step]) -> str:
    failed = [host.host for host in run.hosts if host.problem]
    restarts, final = sum(step.reboot for step in steps), sum(bool(step.cannot_undo) for step in steps)
    told = (
        f"{len(steps)} steps on {len(run.hosts) - len(failed)} hosts, {restarts} restarts, {final} that can't be undone"
    )
    return told + (f"; not asked: {', '.join(failed)}" if failed else "")


def _host(plan: HostPlan) -> Iterator[str]:
    yield plan.host
    if plan.problem:
        yield textwrap.indent(f"can't be asked: {plan.problem}", "  ")
        return
    if plan.lease:
        yield f"  in use: {plan.lease.owner} (run {plan.lease.run}, since {plan.lease.since}); prepare would refuse"
    for left in plan.left:
        yield f"  left unfinished by {left}"
    for each in plan.planned:
        yield from _operation(each)


def _operation(each: Planned) -> Iterator[str]:
    if not each.steps and not each.unknown:
        yield f"  {each.operation}: in place"
        return
    yield f"  {each.operation}:"
    for step in each.steps:
        yield from _step(step)
    if each.unknown:
        yield f"    the rest can't be known before the steps above were done: {each.unknown}"


def _step(step: Step) -> Iterator[str]:
    marks = [
        word
        for word, holds in (("as root", step.sudo), ("as a unit", step.long), ("restarts the host", step.reboot))
        if holds
    ]
    yield f"    - {step.why}" + (f" ({', '.join(marks)})" if marks else "")
    if step.cannot_undo:
        yield f"      can't be undone: {step.cannot_undo}"
    yield textwrap.indent(step.command, "      $ ", lambda _: True)
    if step.stdin is not None:
        yield f"      with {len(step.stdin.encode())} bytes on stdin, not shown"
