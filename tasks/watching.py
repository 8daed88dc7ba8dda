"""The watchdog that a deployment's inventory asks for."""

from __future__ import annotations

from collections.abc import Iterator

from inventories.serving import START_TARGET_S
from tasks.gateway.face import GatewayFace
from tasks.gateway.plan import gateway_folder
from tasks.operations.base import Operation
from tasks.operations.watch import Unwatched, Watched
from tasks.operations.watch_config import Companion, Watch
from tasks.site import Site


def watching(site: Site) -> Iterator[Operation]:
    """A watchdog as `serving.watch` says, or none; a cluster watches its pods by itself."""
    serving, root = site.inventory.serving, site.head.root
    if serving.runtime == "kubernetes":
        return
    if not serving.watch.enabled:
        yield Unwatched(root)
        return
    # Each release's own file has its measured budget; one here that moved would begin the watchdog anew.
    yield Watched(root, Watch.of(site.inventory, serving.start_budget_s or START_TARGET_S, _companions(site)))


def _companions(site: Site) -> tuple[Companion, ...]:
    """nginx, where it is a process; Docker begins its own containers again."""
    if site.inventory.serving.runtime != "process":
        return ()
    return (Companion.gateway(gateway_folder(site.head), GatewayFace().words(site)),)
