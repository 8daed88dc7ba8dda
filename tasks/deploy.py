"""Prefect's face of the rollout: stage, promote, roll back, withdraw."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.narration import say
from tasks.releases import Slot, Slots
from tasks.rollout import Rollout
from tasks.site import Site


@task(name="stage", task_run_name="{host}: stage the release", cache_policy=NO_CACHE)
def stage_release(site: Site, host: str) -> Slot:
    """The inventory's release answers on the host's loopback."""
    return Rollout(site, say).stage()


@task(name="promote", task_run_name="{host}: promote", cache_policy=NO_CACHE)
def promote_release(site: Site, host: str) -> Slots:
    """The gateway serves the release that was proven."""
    return Rollout(site, say).promote()


@task(name="roll back", task_run_name="{host}: roll back", cache_policy=NO_CACHE)
def roll_back_release(site: Site, host: str) -> Slots:
    """The gateway serves the release that was live before."""
    return Rollout(site, say).rollback()


@task(name="retreat", task_run_name="{host}: take back what was not proven live", cache_policy=NO_CACHE)
def retreat_release(site: Site, host: str) -> Slots:
    """What was live before serves again; where nothing was, nothing is live."""
    return Rollout(site, say).retreat()


@task(name="withdraw", task_run_name="{host}: withdraw the candidate", cache_policy=NO_CACHE)
def withdraw_release(site: Site, host: str) -> None:
    """A candidate that was not proven is stopped; what is live stays."""
    Rollout(site, say).withdraw()
