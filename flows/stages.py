"""Each stage as a flow of its own, to be run alone."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from assumptions._core import Stage
from flows.adoption import adopt
from flows.approval import approve
from flows.ending import ended, returning
from flows.run import opened
from flows.selection import due, known
from flows.steps import fetch as fetch_all
from flows.steps import gate, judge, roll_back, soak, stage
from flows.steps import prepare as prepare_all
from flows.steps import promote as promote_staged


@flow(name="plan", flow_run_name="plan {inventory}")
def plan(inventory: str, context: int | None = None) -> State[str]:
    """Judge what can be judged from the inventory alone; no host is contacted."""
    with opened(inventory, "plan", context=context) as run:
        run.expect((Stage.PLAN,))
        judge(run, Stage.PLAN)
    return ended(run)


@flow(name="prepare", flow_run_name="prepare {inventory}")
def prepare(inventory: str) -> State[str]:
    """Install what the hosts need, and nothing that is there."""
    with opened(inventory, "prepare") as run, returning(run):
        run.expect((Stage.HOST,))
        prepare_all(run)
        gate(run, Stage.HOST)
    return ended(run)


@flow(name="fetch", flow_run_name="fetch {inventory}")
def fetch(inventory: str) -> State[str]:
    """Fetch the pinned weights and check every file."""
    with opened(inventory, "fetch") as run, returning(run):
        run.expect((Stage.WEIGHTS,))
        fetch_all(run)
        gate(run, Stage.WEIGHTS)
    return ended(run)


@flow(name="deploy", flow_run_name="deploy {inventory}")
def deploy(inventory: str, context: int | None = None) -> State[str]:
    """Stage the release on the host's loopback and judge it there; a release that fails is taken away."""
    with opened(inventory, "deploy", context=context) as run, returning(run):
        run.expect((Stage.WEIGHTS, Stage.STAGING))
        gate(run, Stage.WEIGHTS)
        stage(run)
        gate(run, Stage.STAGING)
    return ended(run)


@flow(name="promote", flow_run_name="promote {inventory}")
def promote(inventory: str, yes: bool = False, context: int | None = None) -> State[str]:
    """Judge the staged release once more, open the gateway to it, judge it live."""
    with opened(inventory, "promote", context=context) as run, returning(run):
        run.expect((Stage.STAGING, Stage.LIVE))
        gate(run, Stage.STAGING)
        approve(run, yes)
        promote_staged(run)
        gate(run, Stage.LIVE)
        soak(run)
    return ended(run)


@flow(name="rollback", flow_run_name="roll back {inventory}")
def rollback(inventory: str) -> State[str]:
    """Serve the release that was live before, proven by a request through the gateway."""
    with opened(inventory, "rollback") as run:
        adopt(run)
        roll_back(run)
    return ended(run)


@flow(name="validate", flow_run_name="validate {inventory}")
def validate(inventory: str, only: list[str] | None = None, context: int | None = None) -> State[str]:
    """Judge claims against what is deployed now; nothing is changed.

    Args:
        only: ids of the claims to judge; without it every claim at every stage
    """
    known(only or ())
    with opened(inventory, "validate", context=context) as run:
        for at, claims in due(run, only or ()).items():
            judge(run, at, claims)
    return ended(run)
