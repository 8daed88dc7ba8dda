"""What runs on each node besides the engine on the head, as operations.  Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from tasks.multihost import launch
from tasks.multihost.plan import Layout, Node
from tasks.multihost.refusals import temp_dir
from tasks.operations.base import Operation
from tasks.operations.ray_node import RayNode, RayStopped
from tasks.operations.service import Service, Stopped
from tasks.releases import Release, Slot


def pid_files(plan: Layout, slot: Slot, python: str) -> Iterator[tuple[Node, str]]:
    """Each node that has a part, with its pid file: all of them with Ray, the workers with vLLM's own launcher.

    The name of Ray's tells what it runs, so that another environment or another head means another group.
    """
    if plan.launcher == "ray":
        said = "\0".join((python, str(plan.ranks_per_node), *plan.addresses))
        mark = hashlib.sha256(said.encode()).hexdigest()[:8]
        yield from ((node, f"{node.root}/run/ray-{mark}.pid") for node in plan.nodes)
    else:
        yield from ((node, f"{node.root}/run/ranks-{slot.port}-{slot.release}.pid") for node in plan.workers)


def log_file(plan: Layout, node: Node, slot: Slot) -> str:
    """What a node's part says."""
    return f"{node.root}/run/ray.log" if plan.launcher == "ray" else f"{node.root}/run/ranks-{slot.port}.log"


def parts(
    plan: Layout, release: Release, slot: Slot, interfaces: Mapping[str, str], python: str
) -> Iterator[tuple[Node, Operation]]:
    """The parts in their start order, head first; `interfaces` by node, `python` at the same path on each."""
    for node, file in pid_files(plan, slot, python):
        log, interface = log_file(plan, node, slot), interfaces[node.name]
        if plan.launcher == "ray":
            yield node, _ray(plan, node, file, log, interface, python)
        else:
            ours = launch.worker_release(release, plan, node, interface)
            title = f"ranks {node.ranks[0]}-{node.ranks[-1]} of {release.id}"
            yield node, Service(title, ours.argv(slot.port), slot.port, file, log, ours.env)


def _ray(plan: Layout, node: Node, file: str, log: str, interface: str, python: str) -> RayNode:
    return RayNode(
        python=python,
        address=node.address,
        head_address=plan.head.address,
        slots=plan.ranks_per_node,
        temp_dir=temp_dir(node.root),
        pid_file=file,
        log_file=log,
        env=launch.ray_env(node.root) | launch.network_env(node, interface),
    )


def stopped(plan: Layout, file: str) -> Operation:
    """The part of that pid file doesn't run."""
    return RayStopped(file) if plan.launcher == "ray" else Stopped("ranks", file)
