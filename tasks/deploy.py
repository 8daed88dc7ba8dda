"""Prefect's face of the rollout: stage, promote, roll back, withdraw."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.narration import say
from tasks.releases import Slot, Slots
from tasks.rollout import Rollout
from tasks.site import Site
from tasks.soak import WentBad, soak
from tasks.tenancy import tenancy


@contextmanager
def working(site: Site) -> Iterator[Rollout]:
    """The verbs, with the serving host's lease held; where nothing of ours is there, there is nothing to hold."""
    host, root = site.host(site.head.name), site.head.root
    if host.run(f"test -d {shlex.quote(root)}").exit != 0:
        yield Rollout(site, say)
        return
    with tenancy(host, root, site.run_id, say):
        yield Rollout(site, say)


@task(name="stage", task_run_name="{host}: stage the release", cache_policy=NO_CACHE)
def stage_release(site: Site, host: str) -> Slot:
    """The inventory's release answers on the host's loopback."""
    with working(site) as rollout:
        return rollout.stage()


@task(name="promote", task_run_name="{host}: promote", cache_policy=NO_CACHE)
def promote_release(site: Site, host: str) -> Slots:
    """The gateway serves the release that was proven."""
    with working(site) as rollout:
        return rollout.promote()


@task(name="soak", task_run_name="{host}: soak for {seconds} s", cache_policy=NO_CACHE)
def soak_release(site: Site, host: str, seconds: int) -> int:
    """What is live goes on answering; returns how many completions, raises WentBad.

    The lease keeps the watchdog from reviving what dies in its soak.
    """
    with working(site):
        live = site.live()
        if live is None:
            raise WentBad(f"nothing is live on {host}", where=host, fix="deploy and promote a release")
        return soak(site, live, say=say)


@task(name="settle", task_run_name="{host}: stop what was live before", cache_policy=NO_CACHE)
def settle_release(site: Site, host: str) -> Slots:
    """The release before is stopped, and kept to go back to."""
    with working(site) as rollout:
        return rollout.settle()


@task(name="roll back", task_run_name="{host}: roll back", cache_policy=NO_CACHE)
def roll_back_release(site: Site, host: str) -> Slots:
    """The gateway serves the release that was live before."""
    with working(site) as rollout:
        return rollout.rollback()


@task(name="retreat", task_run_name="{host}: take back what was not proven live", cache_policy=NO_CACHE)
def retreat_release(site: Site, host: str) -> Slots:
    """What was live before serves again; where nothing was, nothing is live."""
    with working(site) as rollout:
        return rollout.retreat()


@task(name="withdraw", task_run_name="{host}: withdraw the candidate", cache_policy=NO_CACHE)
def withdraw_release(site: Site, host: str) -> None:
    """A candidate that was not proven is stopped; what is live stays."""
    with working(site) as rollout:
        rollout.withdraw()
