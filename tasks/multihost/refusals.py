"""What an inventory of several hosts can't ask for; raises BadInput before a host is touched."""

from __future__ import annotations

from typing import Literal

from inventories.errors import BadInput
from inventories.schema import Inventory

Launcher = Literal["ray", "vllm"]
TEMP_DIR_MAX = 42  # Ray puts sockets below it, and a socket's path has 107 characters (man 7 unix)


def temp_dir(root: str) -> str:
    """Ray's own folder; Ray opens it to everyone (0777), so it lies in one that is closed."""
    return f"{root}/ray/t"


def launcher(inventory: Inventory) -> Launcher:
    """As `serving.many_nodes` says."""
    return inventory.serving.many_nodes


def spans_hosts(inventory: Inventory) -> bool:
    """Whether one model is served by several hosts together; a cluster sees to that by itself."""
    return len(inventory.hosts) > 1 and inventory.serving.runtime != "kubernetes"


def by_ray(inventory: Inventory) -> bool:
    """Whether Ray stands around the engine."""
    return spans_hosts(inventory) and launcher(inventory) == "ray"


def one_kind_of_host(inventory: Inventory) -> None:
    """Ranks on unlike hosts wait for the slowest one, and the weights must lie at one path."""
    first = inventory.hosts[0]
    for host in inventory.hosts[1:]:
        for what in ("gpu", "gpus", "root"):
            one, other = getattr(first, what), getattr(host, what)
            if one != other:
                raise _bad(
                    inventory,
                    f"hosts that serve one model together must be alike: {what} is {one} on {first.name} "
                    f"and {other} on {host.name}",
                    "hosts",
                    "give them the same GPUs and the same root, or serve from one host",
                )


def what_spans_hosts(inventory: Inventory) -> None:
    """Engine, runtime, mode and root that work across hosts."""
    if inventory.engine.kind != "vllm":
        raise _bad(inventory, f"{inventory.engine.kind} is not served across hosts", "engine.kind", "use vllm")
    if inventory.serving.runtime != "process":
        raise _bad(
            inventory,
            f"several hosts without Kubernetes are served with runtime: process, not {inventory.serving.runtime}",
            "serving.runtime",
            "take runtime: process, or runtime: kubernetes with a cluster",
        )
    if inventory.serving.mode != "in-place":
        raise _bad(
            inventory,
            "blue-green needs room for a second set of ranks, and every GPU has one already",
            "serving.mode",
            "write mode: in-place; the last good release is started again when a new one fails",
        )
    root = inventory.hosts[0].root
    if launcher(inventory) == "ray" and len(temp_dir(root)) > TEMP_DIR_MAX:
        raise _bad(
            inventory,
            f"root is too long for Ray's sockets below {temp_dir(root)}: at most {TEMP_DIR_MAX - 6} characters",
            "hosts[].root",
            "choose a shorter root, such as /opt/beachhead",
        )


def ranks_per_node(inventory: Inventory) -> int:
    """As many on each host, whole stages only; a host without GPUs takes what it is given."""
    tensor, stages, hosts = inventory.engine.tensor_parallel, inventory.engine.pipeline_parallel, inventory.hosts
    gpus = hosts[0].gpus
    if gpus and tensor > gpus:
        raise _bad(
            inventory,
            f"tensor_parallel: {tensor} leaves the host, which has {gpus} GPUs",
            "engine.tensor_parallel",
            f"at most {gpus}; go across hosts with pipeline_parallel",
        )
    if stages % len(hosts):
        raise _bad(
            inventory,
            f"{stages} pipeline stages don't divide evenly over {len(hosts)} hosts",
            "engine.pipeline_parallel",
            f"write pipeline_parallel: {len(hosts)} (or a multiple of it)",
        )
    per_node = tensor * stages // len(hosts)
    if gpus and per_node != gpus:
        raise _bad(
            inventory,
            f"tensor_parallel x pipeline_parallel gives each host {per_node} ranks, and it has {gpus} GPUs",
            "engine",
            f"make tensor_parallel x pipeline_parallel = {gpus * len(hosts)}",
        )
    return per_node


def _bad(inventory: Inventory, what: str, where: str, fix: str) -> BadInput:
    return BadInput(what, where=f"inventory {inventory.name}: {where}", fix=fix)
