"""Prefect's face of the weights: one task run for each checkpoint on each host."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from inventories.schema import Model
from tasks.checkpoints import fetch
from tasks.operations.base import Change
from tasks.site import Site


@task(name="fetch", task_run_name="{host}: fetch {what}", cache_policy=NO_CACHE)
def fetch_weights(site: Site, host: str, what: str, pinned: Model) -> Change:
    """One checkpoint at its commit, complete and correct, on one host."""
    change = fetch(site, host, pinned)
    site.note(change)
    return change
