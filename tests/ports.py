"""Ports for the servers of tests: none that the kernel gives to a connection, and for each worker its own."""

from __future__ import annotations

import itertools
import os
import socket

# Below the kernel's own range (net.ipv4.ip_local_port_range, 32768 on): a port from there may, between a test's choice
# and its server's start, become the local end of anybody's connection.  Above Ray's workers (10002 to 19999) and
# beside the rehearsal's (22xxx).
FIRST, EACH, WORKERS = 23000, 1200, 8
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_numbers = itertools.count(os.getpid() * 7)  # two runs of pytest at once begin at other places


def free_port() -> int:
    """A port of this worker's range that nothing is bound to, and that wasn't given before (in this process)."""
    for number in itertools.islice(_numbers, EACH):
        port = FIRST + WORKER * EACH + number % EACH
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT holds nobody up
            try:
                probe.bind(("", port))
            except OSError:
                continue
        return port
    raise AssertionError(f"no port is free among {EACH} from {FIRST + WORKER * EACH}")
