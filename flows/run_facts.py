"""What a report says of the run itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assumptions._judge import product
from assumptions._report import RunFacts
from assumptions._report_price import price_of
from inventories.figures import model
from tasks.engines.base import engine
from tasks.hosts import now

if TYPE_CHECKING:
    from flows.run import Run


def facts_of(run: Run) -> RunFacts:
    """The run's name, times, host changes, timetable and links."""
    inventory = run.inventory
    changes = tuple(f"{c.host}: {step}" for c in run.site.changes for step in c.steps)
    return RunFacts(
        run_id=run.site.run_id,
        inventory_name=inventory.name,
        inventory_title=inventory.title,
        kind=inventory.kind,
        flow=run.flow,
        started_at=run.started_at,
        ended_at=now(),
        product_commit=product(),
        model=model(inventory.model.catalog).repo,
        model_revision=inventory.model.revision or "not pinned",
        engine=engine(inventory.engine.kind).describe(inventory),
        hosts=tuple(host.name for host in inventory.hosts),
        proves=inventory.proves,
        does_not_prove=inventory.does_not_prove,
        changes=changes,
        stages=tuple(run.stages),
        links=run.links,
        simulated=tuple(f"{host}: {what}" for host, what in run.scripted.items()),
        waivers=run.waivers,
        price=price_of(inventory),
    )
