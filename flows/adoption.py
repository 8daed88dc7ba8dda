"""A run whose worker died stays Running in Prefect until somebody notices (PrefectHQ/prefect#16746): we do."""

from __future__ import annotations

import logging
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowRunFilter
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext
from prefect.states import Crashed

from flows.run import Run

log = logging.getLogger("beachhead")


def adopt(run: Run) -> list[str]:
    """Mark earlier runs of this flow and inventory as crashed: we hold the inventory's lock, so they are dead.

    What they finished on the hosts is found there and not repeated.  Returns their names.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return []
    running = FlowRunFilter.model_validate({"state": {"type": {"any_": [StateType.RUNNING, StateType.PAUSED]}}})
    this_flow = FlowFilter.model_validate({"name": {"any_": [run.flow]}})
    adopted = []
    with get_client(sync_client=True) as client:
        for other in client.read_flow_runs(flow_filter=this_flow, flow_run_filter=running):
            if (
                other.id == context.flow_run.id
                or Path(str(other.parameters.get("inventory"))).stem != run.inventory.name
            ):
                continue
            said = f"its worker died; run {context.flow_run.name} takes over what it left on the hosts"
            client.set_flow_run_state(other.id, Crashed(message=said), force=True)
            log.info("adopted %s: %s", other.name, said)
            adopted.append(other.name)
    return adopted
