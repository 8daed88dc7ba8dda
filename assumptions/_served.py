"""Where a stage's server is: the candidate's slot on the host's loopback, or the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from assumptions._core import Stage
from inventories.errors import Problem
from serving.client import Client
from tasks.engines.base import engine
from tasks.facts.engine_log import EngineLog, read_log
from tasks.releases import Slot, read_slots, wanted
from tasks.runtimes.base import runtime
from tasks.site import Site


class NothingServed(Problem):
    """The inventory's release is neither staged nor live."""


ABSENT = (502, 503, 504)  # a gateway's words for "nothing answers behind me": no answer of the model's server


@dataclass(frozen=True, slots=True)
class Served:
    """A reachable server and the slot behind it; `live` says that it is the one which the world is served from."""

    client: Client
    slot: Slot
    live: bool = False


def slot(site: Site, stage: Stage) -> Slot:
    """The slot that holds the inventory's release; at LIVE it must be the live one."""
    return _slot(site, stage)[0]


def _slot(site: Site, stage: Stage) -> tuple[Slot, bool]:
    """It, and whether it is the live one."""
    release = wanted(site.inventory, site.head)
    slots = read_slots(site.host(site.head.name), site.head.root)
    found = slots.serving(release.id) if stage is Stage.STAGING else slots.live
    if found is None or found.release != release.id:
        raise NothingServed(
            f"release {release.id} is not {'staged or live' if stage is Stage.STAGING else 'live'}",
            where=f"{site.head.name}: {site.head.root}/state/slots.json",
            fix=f"run `beachhead provision {site.inventory.name}` first",
        )
    return found, found == slots.live


@contextmanager
def served(site: Site, stage: Stage, *, timeout: float = 120.0) -> Iterator[Served]:
    """A client to what `stage` judges: the slot itself at STAGING, the gateway at LIVE."""
    at, live = _slot(site, stage)
    port = at.port if stage is Stage.STAGING else site.inventory.serving.live_port
    with site.client(port, timeout=timeout) as client:
        yield Served(client, at, live)


def engine_log(site: Site, stage: Stage) -> EngineLog:
    """The log of the process that `stage` judges; raises where that process no longer answers."""
    with served(site, stage) as at:
        status = at.client.call("GET", "/health", timeout=30).status
    if status != 200:
        raise NothingServed(
            f"/health of release {at.slot.release} answers {status}: its log tells of the past",
            where=f"{site.head.name}: port {at.slot.port}",
            fix=f"run `beachhead provision {site.inventory.name}`: it starts the engine again",
        )
    return read_log(runtime(site.inventory).log(site, at.slot), engine(site.inventory.engine.kind).log)
