"""What `beachhead cost` takes where an inventory says nothing: catalog/costs.yaml, each a span with its source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from inventories.figures import entries, one
from inventories.machines import Machine, Span, machine, machines
from inventories.schema import Inventory
from inventories.strict import CatalogId

FILE = "costs.yaml"


class Cost(Span):
    """One default: what it is, and between which ends it lies."""

    id: CatalogId
    what: str


@cache
def costs() -> Mapping[str, Cost]:
    """Every entry of catalog/costs.yaml by id."""
    return entries(FILE, Cost)


def cost(id: str) -> Cost:
    """The default of that id; BadInput names the known ones."""
    return one(id, "default", FILE, costs())


def machine_of(inventory: Inventory) -> Machine | None:
    """The machine that the money block names, or the one with the inventory's cards; None where none is known."""
    if inventory.money and inventory.money.own.machine:
        return machine(inventory.money.own.machine)
    cards, hosts = sum(host.gpus for host in inventory.hosts), len(inventory.hosts)
    kinds = {host.gpu for host in inventory.hosts}
    like = (m for m in machines().values() if {m.gpu} == kinds and (m.gpus, m.hosts) == (cards, hosts))
    return next(like, None)
