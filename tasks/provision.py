"""Prefect's face of the operations: one task run for each, named after the host and what it does there."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.narration import say
from tasks.operations.base import CarryOut, Change, Operation, at_once, converge
from tasks.operations.read_ahead import reading_ahead
from tasks.preparing import before_the_lease, wanted
from tasks.site import Site
from tasks.tenancy import tenancy


@task(name="operation", task_run_name="{host}: {what}", cache_policy=NO_CACHE)
def apply(site: Site, host: str, what: str, operation: Operation, carry_out: CarryOut = at_once) -> Change:
    """Bring one operation about on one host."""
    change = converge(site.host(host), operation, say=say, carry_out=carry_out)
    site.note(change)
    return change


@task(name="prepare", task_run_name="{name}: prepare", cache_policy=NO_CACHE)
def prepare_host(site: Site, name: str) -> list[Change]:
    """Everything that must be on one host before it can fetch or serve, with the host's lease held.

    Raises LeaseHeld, before anything is changed, where another run works on the host.
    """
    spec = site.spec(name)
    site.look_around(name)
    changes = _each(site, name, before_the_lease(site.inventory, spec), at_once)
    with tenancy(site.host(name), spec.root, site.run_id, say) as held:
        operations = wanted(site.inventory, spec)
        held.plans([operation.name for operation in operations])
        return changes + _each(site, name, operations, held)


def _each(site: Site, name: str, operations: Sequence[Operation], carry_out: CarryOut) -> list[Change]:
    """One after another; what they look at is read ahead, in as few exchanges as their plans allow."""
    ahead = reading_ahead(site.host(name), operations)
    return [apply(site, name, operation.name, operation, carry_out) for operation in ahead]
