"""The first minutes after a promotion: what was proven must go on answering at the gateway, or it is taken back."""

from __future__ import annotations

import time
from collections.abc import Callable

from inventories.errors import Problem
from tasks.readiness import NotReady, answers
from tasks.releases import Slot
from tasks.runtimes.base import runtime
from tasks.site import Site
from tasks.trail import tail

EVERY_S = 5.0
FAILURES = 2  # in a row; one alone may be the network's


class WentBad(Problem):
    """A release that was proven stopped answering within its soak."""


def soak(site: Site, slot: Slot, *, say: Callable[[str], None] = lambda _: None) -> int:
    """Completions in a row through the gateway for `serving.soak_s` seconds; returns how many, raises WentBad.

    An engine whose process ended, or was begun again by its runtime, has gone bad whatever it answers now.
    """
    serving = site.inventory.serving
    until, asked, failures = time.monotonic() + serving.soak_s, 0, 0
    while time.monotonic() < until:
        asked += 1
        try:
            answers(site, serving.live_port, timeout=serving.watch.deadline_s)
            failures = 0
        except NotReady as fault:
            failures += 1
            say(f"{site.head.name}: soak: {fault.what}")
            if failures >= FAILURES:
                raise _bad(site, slot, f"{failures} completions in a row failed; the last: {fault.what}") from fault
        state = runtime(site.inventory).state(site, slot)
        if not state.running or state.restarts:
            raise _bad(site, slot, f"its engine {'was begun again' if state.running else 'ended'}")
        time.sleep(min(EVERY_S, max(0.0, until - time.monotonic())))
    return asked


def _bad(site: Site, slot: Slot, why: str) -> WentBad:
    log = tail(runtime(site.inventory).log(site, slot), 3)
    return WentBad(
        f"release {slot.release} went bad in its soak: {why}; its log ends: {log or 'nothing'}",
        where=f"{site.head.name}: port {slot.port}",
        fix="what was live before is taken back; read the engine's log before this release is tried again",
    )
