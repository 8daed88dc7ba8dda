"""Where each rank of one model runs when it spans several hosts.  Pure: an inventory in, a layout or BadInput out.

Ranks of one pipeline stage exchange data in every layer, so a stage never leaves its host (vLLM's
docs/serving/parallelism_scaling.md: tensor parallel inside a node, pipeline parallel across nodes).
"""

from __future__ import annotations

from dataclasses import dataclass

from inventories.schema import Inventory
from tasks.multihost.addresses import private_addresses
from tasks.multihost.refusals import Launcher, launcher, one_kind_of_host, ranks_per_node, what_spans_hosts


@dataclass(frozen=True, slots=True)
class Node:
    """One host of the group; node 0 is the head: it takes requests and holds the first pipeline stage."""

    index: int
    name: str
    address: str
    root: str
    ranks: tuple[int, ...]

    @property
    def head(self) -> bool:
        """Whether requests come in here."""
        return self.index == 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Every node in order of its ranks, and how the ranks find each other."""

    launcher: Launcher
    nodes: tuple[Node, ...]
    tensor_parallel: int
    pipeline_parallel: int

    @property
    def head(self) -> Node:
        """The node that takes requests."""
        return self.nodes[0]

    @property
    def workers(self) -> tuple[Node, ...]:
        """The others."""
        return self.nodes[1:]

    @property
    def ranks_per_node(self) -> int:
        """As many on each."""
        return len(self.head.ranks)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every node's, in order of the nodes."""
        return tuple(each.address for each in self.nodes)

    def node(self, name: str) -> Node:
        """The node of that host."""
        return next(each for each in self.nodes if each.name == name)


def layout(inventory: Inventory) -> Layout:
    """The layout that the inventory asks for; raises BadInput where its hosts can't carry it."""
    one_kind_of_host(inventory)
    what_spans_hosts(inventory)
    per_node = ranks_per_node(inventory)
    addresses = private_addresses(inventory)
    nodes = tuple(
        Node(i, host.name, addresses[host.name], host.root, tuple(range(i * per_node, (i + 1) * per_node)))
        for i, host in enumerate(inventory.hosts)
    )
    engine = inventory.engine
    return Layout(launcher(inventory), nodes, engine.tensor_parallel, engine.pipeline_parallel)
