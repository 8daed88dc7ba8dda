"""What `prepare` would do on each host, and why: facts are read over SSH, and nothing is changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from flows.run import evidence_root, new_run_id
from inventories.errors import Problem
from inventories.load import load
from tasks import journal, leases
from tasks.engines.base import engine
from tasks.hosts import Host, Unreachable
from tasks.leases import Lease
from tasks.operations.base import Operation, Step
from tasks.preparing import before_the_lease, wanted
from tasks.site import Site

MOST_STEPS = 200  # of one operation: its plan is read without carrying it out


@dataclass(frozen=True, slots=True)
class Planned:
    """One operation: its missing steps, or why that can't be known yet."""

    operation: str
    steps: tuple[Step, ...]
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One host: who works there now, what earlier runs left unfinished, what is missing; or why it can't be asked."""

    host: str
    lease: Lease | None
    left: tuple[str, ...]
    planned: tuple[Planned, ...]
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class DryRun:
    """Every host of an inventory, and the folder with the raw record of what was asked."""

    inventory: str
    hosts: tuple[HostPlan, ...]
    folder: Path

    @property
    def failed(self) -> bool:
        """Whether a host could not be asked."""
        return any(host.problem for host in self.hosts)

    def to_json(self) -> dict[str, Any]:
        """The same, plain; what is sent on stdin is told by its size alone."""
        return {"inventory": self.inventory, "hosts": [_host_json(h) for h in self.hosts], "raw": str(self.folder)}


def dry_run(name: str) -> DryRun:
    """Ask every host of the inventory at once; a host that can't be asked stands beside the others."""
    inventory = load(name)
    engine(inventory.engine.kind).check(inventory)
    run_id = new_run_id()
    site = Site(inventory, evidence_root() / inventory.name / run_id, run_id=run_id)
    try:
        with ThreadPoolExecutor(max_workers=min(32, len(inventory.hosts))) as pool:
            hosts = tuple(pool.map(lambda spec: _host(site, spec.name), inventory.hosts))
        return DryRun(inventory.name, hosts, site.folder)
    finally:
        site.close()


def _host(site: Site, name: str) -> HostPlan:
    root = site.spec(name).root
    try:
        site.look_around(name)
        host = site.host(name)
        left = journal.unfinished(journal.read(host, root).entries, site.run_id)
        planned = tuple(_planned(site, host, *each) for each in _operations(site, name))
        return HostPlan(name, leases.read(host, root), tuple(f"run {e.run}: {e.why}" for e in left), planned)
    except Problem as problem:
        return HostPlan(name, None, (), (), problem)


def _operations(site: Site, name: str) -> list[tuple[Operation, bool]]:
    """Each with whether nothing goes before it, so that its refusal is the host's."""
    spec = site.spec(name)
    first = [(each, True) for each in before_the_lease(site.inventory, spec)]
    return first + [(each, False) for each in wanted(site.inventory, spec)]


def _planned(site: Site, host: Host, operation: Operation, first: bool) -> Planned:
    """An operation's steps; one that asks about what an earlier step makes can't be planned to its end."""
    steps: list[Step] = []
    clean = site.redactor.text
    try:
        for step in islice(operation.plan(host), MOST_STEPS):
            steps.append(replace(step, why=clean(step.why), command=clean(step.command)))
    except Problem as problem:
        if first or isinstance(problem, Unreachable):
            raise
        return Planned(operation.name, tuple(steps), clean(problem.what))
    return Planned(operation.name, tuple(steps))


def _host_json(plan: HostPlan) -> dict[str, Any]:
    problem = plan.problem and {key: getattr(plan.problem, key) for key in ("what", "where", "fix")}
    return {
        "host": plan.host,
        "lease": asdict(plan.lease) if plan.lease else None,
        "left_unfinished": list(plan.left),
        "operations": [
            {"operation": each.operation, "steps": [_step_json(step) for step in each.steps], "unknown": each.unknown}
            for each in plan.planned
        ],
        "problem": problem,
    }


def _step_json(step: Step) -> dict[str, Any]:
    told = asdict(step)
    stdin = told.pop("stdin")
    return told | {"stdin_bytes": None if stdin is None else len(stdin.encode())}
