"""The whole story on one page: plan, prepare, fetch, stage, judge, approve, promote, judge again."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State

from assumptions._core import Stage
from flows.approval import approve
from flows.ending import ended, returning
from flows.run import opened
from flows.steps import fetch, gate, prepare, promote, soak, stage


@flow(name="provision", flow_run_name="provision {inventory}")
def provision(inventory: str, yes: bool = False, context: int | None = None) -> State[str]:
    """Bring a deployment from nothing to live, each stage gated by the claims that it can judge.

    Args:
        inventory: name of a file in inventories/, or a path
        yes: promote without asking; without it the run pauses and waits for a person
        context: tokens of context instead of the inventory's own
    """
    with opened(inventory, "provision", context=context) as run, returning(run):
        run.expect(tuple(Stage))
        gate(run, Stage.PLAN)  # before any host is touched
        prepare(run)
        gate(run, Stage.HOST)
        fetch(run)
        gate(run, Stage.WEIGHTS)
        stage(run)  # reachable from the host alone
        gate(run, Stage.STAGING)
        approve(run, yes)
        promote(run)
        gate(run, Stage.LIVE)
        soak(run)  # what goes bad now is taken back too
    return ended(run)
