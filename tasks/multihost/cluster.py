"""One model on several hosts: what stands around the engine on the head, up and down.

Start order: rules, token, head, workers, wait until all have joined, then (the rollout's part) the engine.  Stop order
is the reverse.  A group with a missing part is stopped whole first: ranks of two starts never meet.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass

from inventories.errors import Problem
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.process import ProcessFact
from tasks.facts.ray_nodes import RayNodesFact, RayNodeState
from tasks.hosts import HostError
from tasks.multihost import launch
from tasks.multihost.judging import equal_versions, equal_weights, interfaces
from tasks.multihost.parts import parts, pid_files, stopped
from tasks.multihost.plan import Layout, Node, layout
from tasks.multihost.secrets import ray_token
from tasks.operations.base import Operation, converge
from tasks.operations.files import File, Folder
from tasks.operations.ray_firewall import PeersOnly
from tasks.operations.ray_node import GCS_PORT
from tasks.releases import Release, Slot
from tasks.runtimes.base import runtime
from tasks.site import Site

Say = Callable[[str], None]
JOIN_S = 180.0  # a node joined in 5 s on two shared cores; a cold environment imports for minutes
MESSAGE_QUEUES = (launch.MASTER_PORT,)


class NodesMissing(Problem):
    """Not every node joined the group within the deadline, or one left it."""


@dataclass(frozen=True)
class Cluster:
    """The group of hosts that `site` declares."""

    site: Site
    say: Say = lambda _: None

    @property
    def layout(self) -> Layout:
        """Who holds which ranks; raises BadInput."""
        return layout(self.site.inventory)

    def up(self, release: Release, slot: Slot) -> Release:
        """Every node is ready for the engine of `slot`; gives the release as the head must run it."""
        plan = self.layout
        equal_versions(self.site, plan)
        equal_weights(self.site, plan, release)
        names = interfaces(self.site, plan)
        self._furnish(plan)
        missing = [node for node, file in pid_files(plan, slot) if not self._runs(node, file)]
        if missing or (plan.launcher == "vllm" and not runtime(self.site.inventory).state(self.site, slot).running):
            self._stop_all(plan, slot, missing)  # vLLM's ranks wait for the head that they were started with
        kind = engine(self.site.inventory.engine.kind)
        pythons = {node.name: kind.python(self.site.inventory, self.site.spec(node.name)) for node in plan.nodes}
        begun = list(parts(plan, release, slot, names, pythons))
        for node, operation in begun:
            self._run(node, operation)
        if plan.launcher == "ray":
            self._joined(plan, begun)
        return launch.head_release(release, plan, names[plan.head.name])

    def down(self, slot: Slot) -> None:
        """Nothing of the group runs on any node; the engine of `slot` is stopped first."""
        plan = self.layout
        self._run(plan.head, runtime(self.site.inventory).stopped(self.site, slot))
        for node, file in reversed(list(pid_files(plan, slot))):
            self._run(node, stopped(plan, file))

    def missing(self, slot: Slot) -> tuple[str, ...]:
        """The nodes whose part of the group is not there now; raises what the hosts raise."""
        plan = self.layout
        gone = {node.name for node, file in pid_files(plan, slot) if not self._runs(node, file)}
        if plan.launcher == "ray" and plan.head.name not in gone:
            alive = {each.address for each in self.nodes() if each.alive}
            gone |= {node.name for node in plan.nodes if node.address not in alive}
        return tuple(node.name for node in plan.nodes if node.name in gone)

    def nodes(self) -> tuple[RayNodeState, ...]:
        """Ray's own count of its nodes, asked on the head."""
        head = self.layout.head
        python = engine(self.site.inventory.engine.kind).python(self.site.inventory, self.site.spec(head.name))
        fact = RayNodesFact(python, f"{head.address}:{GCS_PORT}", launch.ray_env(head.root))
        return look(self.site.host(head.name), fact, timeout=90)

    def firewall(self) -> Operation:
        """Rules for any of the nodes that close what they say to each other to everyone else."""
        return PeersOnly(self.layout.addresses, MESSAGE_QUEUES)

    # --- parts

    def _furnish(self, plan: Layout) -> None:
        for node in plan.nodes:
            for name, mode in (("run", "0755"), ("secrets", "0700"), ("ray", "0700"), ("multihost", "0700")):
                self._run(node, Folder(f"{node.root}/{name}", mode))
            if getattr(self.site.inventory.serving, "peers_only", False):
                self._run(node, self.firewall())
            if plan.launcher == "ray":
                token = launch.token_file(node.root)
                self._run(node, File(token, ray_token(self.site), mode="0600", what="Ray's token file"))
        kept = f"{launch.config_folder(plan.head.root)}/{launch.KEPT_HOME_FILE}"
        self._run(plan.head, File(kept, json.dumps(launch.KEPT_HOME) + "\n", what="what Ray's workers are not told"))

    def _stop_all(self, plan: Layout, slot: Slot, missing: list[Node]) -> None:
        if 0 < len(missing) < len(list(pid_files(plan, slot))):
            self.say(f"{', '.join(node.name for node in missing)}: not in the group any more; it is started anew whole")
        self.down(slot)

    def _runs(self, node: Node, pid_file: str) -> bool:
        return look(self.site.host(node.name), ProcessFact(pid_file)).running

    def _run(self, node: Node, operation: Operation) -> None:
        self.site.note(converge(self.site.host(node.name), operation, say=self.say))

    # --- waiting

    def _joined(self, plan: Layout, begun: list[tuple[Node, Operation]]) -> None:
        """Wait until the head counts every node with its slots; raises NodesMissing at the deadline.

        A worker that gave up before (Ray's own patience at start is 30 s) is begun again until then.
        """
        began = time.monotonic()
        while True:
            absent, why = self._absent(plan)
            if not absent:
                return
            if time.monotonic() - began > JOIN_S:
                raise self._not_joined(absent, why, time.monotonic() - began)
            for node, operation in begun:
                self._run(node, operation)
            time.sleep(1)

    def _absent(self, plan: Layout) -> tuple[list[Node], str]:
        """The nodes that the head doesn't count with all their slots, and what it says."""
        try:
            alive = {each.address: each.slots for each in self.nodes() if each.alive}
        except HostError as error:  # it may still be starting
            return [plan.head], error.what
        absent = [node for node in plan.nodes if alive.get(node.address, 0) < plan.ranks_per_node]
        return absent, f"joined so far: {', '.join(sorted(alive)) or 'none'}"

    def _not_joined(self, nodes: list[Node], why: str, seconds: float) -> NodesMissing:
        first = nodes[0]
        log = f"{first.root}/run/ray.log"
        said = self.site.host(first.name).run(f"tail -n 5 {shlex.quote(log)} 2>/dev/null || true").stdout.strip()
        return NodesMissing(
            f"{', '.join(node.name for node in nodes)} did not join the group within {seconds:.0f} s ({why}); "
            f"its log ends: {said or 'empty'}",
            where=f"{first.name}: {log}",
            fix="see that the nodes reach each other's addresses (ports 6379-6499), then run it again",
        )
