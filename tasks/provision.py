"""Prefect's face of the operations: one task run for each, named after the host and what it does there."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.engines.base import engine
from tasks.narration import say
from tasks.operations.base import Change, Operation, converge
from tasks.operations.files import Folder
from tasks.site import Site


@task(name="operation", task_run_name="{host}: {what}", cache_policy=NO_CACHE)
def apply(site: Site, host: str, what: str, operation: Operation) -> Change:
    """Bring one operation about on one host."""
    change = converge(site.host(host), operation, say=say)
    site.note(change)
    return change


@task(name="prepare", task_run_name="{name}: prepare", cache_policy=NO_CACHE)
def prepare_host(site: Site, name: str) -> list[Change]:
    """Everything that must be on one host before it can fetch or serve."""
    spec = site.spec(name)
    site.look_around(name)
    wanted: list[Operation] = [Folder(spec.root), Folder(f"{spec.root}/run"), Folder(f"{spec.root}/state")]
    wanted += engine(site.inventory.engine.kind).install(site.inventory, spec)
    return [apply(site, name, _title(operation), operation) for operation in wanted]


def _title(operation: Operation) -> str:
    return operation.name if isinstance(operation, Folder) else f"install {operation.name}"
