"""Waiting until Ray's head counts every node of a group."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable

from inventories.errors import Problem
from tasks.facts.ray_nodes import RayNodeState
from tasks.hosts import HostError
from tasks.multihost.plan import Layout, Node
from tasks.site import Site

JOIN_S = (
    180.0  # a node joined in 5 s on two idle cores; on a busy machine Ray gave up after its own 30 s and began anew
)


class NodesMissing(Problem):
    """Not every node joined the group within the deadline."""


def wait_joined(
    site: Site, plan: Layout, count: Callable[[], tuple[RayNodeState, ...]], begin: Callable[[], object]
) -> None:
    """Until every node is counted with its slots; raises NodesMissing at the deadline.

    `begin` starts what isn't running: a worker that gave up (Ray's own patience is 30 s) is begun again until then.
    """
    began = time.monotonic()
    while True:
        absent, why = _absent(plan, count)
        if not absent:
            return
        if time.monotonic() - began > JOIN_S:
            raise _missing(site, absent, why, time.monotonic() - began)
        begin()
        time.sleep(1)


def _absent(plan: Layout, count: Callable[[], tuple[RayNodeState, ...]]) -> tuple[list[Node], str]:
    """The nodes that the head doesn't count with all their slots, and what it says."""
    try:
        alive = {each.address: each.slots for each in count() if each.alive}
    except HostError as error:  # it may still be starting
        return [plan.head], error.what
    absent = [node for node in plan.nodes if alive.get(node.address, 0) < plan.ranks_per_node]
    return absent, f"joined so far: {', '.join(sorted(alive)) or 'none'}"


def _missing(site: Site, nodes: list[Node], why: str, seconds: float) -> NodesMissing:
    first = nodes[0]
    log = f"{first.root}/run/ray.log"
    said = site.host(first.name).run(f"tail -n 5 {shlex.quote(log)} 2>/dev/null || true").stdout.strip()
    return NodesMissing(
        f"{', '.join(node.name for node in nodes)} did not join the group within {seconds:.0f} s ({why}); "
        f"its log ends: {said or 'empty'}",
        where=f"{first.name}: {log}",
        fix="see that the nodes reach each other's addresses (ports 6379-6499), then run it again",
    )
