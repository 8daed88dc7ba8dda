"""A runtime: how an engine's process is kept on a host.  One file in this folder is one runtime.

Its name is what an inventory's `serving.runtime` says, and it holds `RUNTIME`, an object of this protocol.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.operations.base import Operation
from tasks.releases import Release, Slot
from tasks.site import Site


@dataclass(frozen=True, slots=True)
class EngineState:
    """Whether a slot's engine runs; `exit` is the status it ended with, `restarts` how often it was begun again."""

    running: bool
    exit: int | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class EngineWords:
    """Shell commands for the watchdog on the host; no secret is in them.

    `start` begins the engine, `kill` ends it whatever it does, `alive` exits with 0 while its process is there, `log`
    prints the end of what it said; `grows` is the file it says it in, where nobody else keeps that short.
    """

    start: str
    kill: str
    alive: str
    log: str = ""
    grows: str = ""


class Runtime(Protocol):
    """Keeps engines on the serving host."""

    def check(self, inventory: Inventory) -> None:
        """Raise BadInput where the inventory asks for what this runtime can't do."""
        ...

    def install(self, inventory: Inventory, host: HostSpec) -> Iterable[Operation]:
        """What the runtime needs on a host, besides the engine's own."""
        ...

    def running(self, site: Site, release: Release, slot: Slot) -> Operation:
        """The release's engine runs in the slot."""
        ...

    def stopped(self, site: Site, slot: Slot) -> Operation:
        """Nothing runs in the slot."""
        ...

    def state(self, site: Site, slot: Slot) -> EngineState:
        """What is there now; raises what the host raises."""
        ...

    def log(self, site: Site, slot: Slot) -> str:
        """The engine's own words since its newest start; at least the first and the last megabyte."""
        ...

    def last_line(self, site: Site, slot: Slot) -> str:
        """The newest line of that log, asked for every two seconds while an engine starts."""
        ...

    def gateway(self, site: Site, upstream: Slot | None) -> Iterable[Operation]:
        """The gateway shows that slot to others, or says that nothing is live; to be converged in this order."""
        ...

    def words(self, site: Site, release: Release, slot: Slot) -> EngineWords | None:
        """Commands for the watchdog; None where the runtime watches by itself."""
        ...


def runtime(inventory: Inventory) -> Runtime:
    """The runtime that the inventory names."""
    found: Runtime = importlib.import_module(f"tasks.runtimes.{inventory.serving.runtime}").RUNTIME
    return found
