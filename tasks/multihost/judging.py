"""What must hold on the nodes before ranks are started there; each fault is a Problem that names the nodes."""

from __future__ import annotations

from inventories.errors import Problem
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.ray_interface import InterfaceOfAddressFact
from tasks.facts.ray_versions import ABSENT, NodeVersionsFact, differences
from tasks.facts.text_file import TextFile
from tasks.multihost.plan import Layout
from tasks.releases import Release
from tasks.site import Site


class NodesDiffer(Problem):
    """Two nodes don't hold the same versions or weights."""


def equal_versions(site: Site, layout: Layout) -> None:
    """Python, engine, Ray, torch and driver are the same everywhere; Ray is there where it is the launcher."""
    kind = engine(site.inventory.engine.kind)
    found = {
        node.name: look(site.host(node.name), NodeVersionsFact(kind.python(site.inventory, site.spec(node.name))))
        for node in layout.nodes
    }
    if told := differences(found):
        raise NodesDiffer(
            f"the hosts of one model must be equal: {'; '.join(told)}",
            where=f"{', '.join(found)}: the engine's environment and the driver",
            fix="run `beachhead prepare` for all of them; a driver that was held back needs its own update",
        )
    if layout.launcher == "ray" and found[layout.head.name].ray == ABSENT:
        raise NodesDiffer(
            "Ray is not installed in the engine's environment",
            where=", ".join(found),
            fix="use an engine version whose lock has ray, or write many_nodes: vllm",
        )


def equal_weights(site: Site, layout: Layout, release: Release) -> None:
    """The release's config.json lies at the same path on every node, with the same text; digests are the fetch's."""
    file = f"{release.model_dir}/config.json"
    found = {node.name: look(site.host(node.name), TextFile(file)) for node in layout.nodes}
    if absent := [name for name, text in found.items() if text is None]:
        raise NodesDiffer(
            f"the weights are not on {', '.join(absent)}",
            where=f"{', '.join(absent)}: {file}",
            fix="run `beachhead fetch`: every host needs the whole model at the same path",
        )
    if len(set(found.values())) > 1:
        raise NodesDiffer(
            "the hosts hold different models at the same path",
            where=f"{', '.join(found)}: {file}",
            fix="run `beachhead fetch` again: it compares every file with the hub's digests",
        )


def interfaces(site: Site, layout: Layout) -> dict[str, str]:
    """The interface that holds each node's address; raises NodesDiffer for an address that is not the host's own."""
    found = {}
    for node in layout.nodes:
        reading = look(site.host(node.name), InterfaceOfAddressFact(node.address))
        if reading.value is None:
            raise NodesDiffer(
                f"{node.address} is not an address of {node.name} itself",
                where=f"inventory {site.inventory.name}: hosts: {node.name}",
                fix="write the address that the host has in the network between them (ip -4 addr), not one in front "
                "of it",
            )
        found[node.name] = reading.value
    return found
