"""After a switch the old engine still serves the streams that it began: wait for their end before it is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable

from tasks.facts.base import look
from tasks.facts.open_connections import OpenConnectionsFact
from tasks.hosts import Host

POLL_S = 1.0


def drained(host: Host, port: int, within_s: float, *, say: Callable[[str], None] = lambda _: None) -> int:
    """Wait until the engine on `port` serves nobody, `within_s` seconds at most; says how many streams are left."""
    until = time.monotonic() + within_s
    told = -1
    while (left := look(host, OpenConnectionsFact(port))) and time.monotonic() < until:
        if left != told:
            say(f"{host.name}: port {port} still serves {left} request{'' if left == 1 else 's'}")
            told = left
        time.sleep(POLL_S)
    return left
