"""One model on several hosts: what stands around the engine on the head, up and down.

Start order: rules, token, head, workers, wait until all have joined, then (the rollout's part) the engine.  Stop order
is the reverse.  A group with a missing part is stopped whole first: ranks of two starts never meet.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.process import ProcessFact
from tasks.facts.ray_nodes import RayNodesFact, RayNodeState
from tasks.hosts import lines
from tasks.multihost import launch
from tasks.multihost.joining import wait_joined
from tasks.multihost.judging import equal_versions, equal_weights, interfaces
from tasks.multihost.parts import parts, pid_files, stopped
from tasks.multihost.plan import Layout, Node, layout
from tasks.multihost.secrets import ray_token
from tasks.operations.base import Operation, converge
from tasks.operations.files import File, Folder
from tasks.operations.ray_firewall import PeersOnly
from tasks.operations.ray_node import GCS_PORT, RayStopped
from tasks.releases import Release, Slot
from tasks.runtimes.base import runtime
from tasks.site import Site

Say = Callable[[str], None]
MESSAGE_QUEUES = (launch.MASTER_PORT,)


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
        missing = [node for node, file in self._pid_files(slot) if not self._runs(node, file)]
        if missing or (plan.launcher == "vllm" and not runtime(self.site.inventory).state(self.site, slot).running):
            self._stop_all(slot, missing)  # vLLM's ranks wait for the head that they were started with
        begun = list(parts(plan, release, slot, names, self._python))
        self._begin(begun)
        if plan.launcher == "ray":
            wait_joined(self.site, plan, self.nodes, lambda: self._begin(begun))
        return launch.head_release(release, plan, names[plan.head.name])

    def stop(self, slot: Slot) -> None:
        """The engine of `slot` doesn't run, nor ranks that are its alone; Ray stays for the next one."""
        plan = self.layout
        self._run(plan.head, runtime(self.site.inventory).stopped(self.site, slot))
        if plan.launcher == "vllm":
            self._stop_parts(slot)

    def down(self, slot: Slot) -> None:
        """Nothing of the group runs on any node, Ray of an earlier environment neither; the engine is stopped first."""
        self.stop(slot)
        self._stop_parts(slot)
        for node in reversed(self.layout.nodes):
            found = self.site.host(node.name).run(f"ls -1 {shlex.quote(node.root)}/run/ray-*.pid 2>/dev/null || true")
            for file in lines(found.check().stdout):
                self._run(node, RayStopped(file))

    def _stop_parts(self, slot: Slot) -> None:
        for node, file in reversed(list(self._pid_files(slot))):
            self._run(node, stopped(self.layout, file))

    def missing(self, slot: Slot) -> tuple[str, ...]:
        """The nodes whose part of the group is not there now; raises what the hosts raise."""
        plan = self.layout
        gone = {node.name for node, file in self._pid_files(slot) if not self._runs(node, file)}
        if plan.launcher == "ray" and plan.head.name not in gone:
            alive = {each.address for each in self.nodes() if each.alive}
            gone |= {node.name for node in plan.nodes if node.address not in alive}
        return tuple(node.name for node in plan.nodes if node.name in gone)

    def nodes(self) -> tuple[RayNodeState, ...]:
        """Ray's own count of its nodes, asked on the head."""
        head = self.layout.head
        fact = RayNodesFact(self._python, f"{head.address}:{GCS_PORT}", launch.ray_env(head.root))
        return look(self.site.host(head.name), fact, timeout=90)

    def firewall(self) -> Operation:
        """Rules for any of the nodes that close what they say to each other to everyone else."""
        return PeersOnly(self.layout.addresses, MESSAGE_QUEUES)

    # --- parts

    def _furnish(self, plan: Layout) -> None:
        for node in plan.nodes:
            for name, mode in (("run", "0755"), ("secrets", "0700"), ("ray", "0700"), ("multihost", "0700")):
                self._run(node, Folder(f"{node.root}/{name}", mode))
            if self.site.inventory.serving.peers_only:
                self._run(node, self.firewall())
            if plan.launcher == "ray":
                token = launch.token_file(node.root)
                self._run(node, File(token, ray_token(self.site), mode="0600", what="Ray's token file"))
        kept = f"{launch.config_folder(plan.head.root)}/{launch.KEPT_HOME_FILE}"
        self._run(plan.head, File(kept, json.dumps(launch.KEPT_HOME) + "\n", what="what Ray's workers are not told"))

    @property
    def _python(self) -> str:
        """Of the engine's environment: the same path on every node, as their roots are."""
        return engine(self.site.inventory.engine.kind).python(self.site.inventory, self.site.head)

    def _pid_files(self, slot: Slot) -> list[tuple[Node, str]]:
        return list(pid_files(self.layout, slot, self._python))

    def _stop_all(self, slot: Slot, missing: list[Node]) -> None:
        if 0 < len(missing) < len(self._pid_files(slot)):
            self.say(f"{', '.join(node.name for node in missing)}: not in the group any more; it is started anew whole")
        self.down(slot)

    def _runs(self, node: Node, pid_file: str) -> bool:
        return look(self.site.host(node.name), ProcessFact(pid_file)).running

    def _begin(self, begun: list[tuple[Node, Operation]]) -> None:
        for node, operation in begun:
            self._run(node, operation)

    def _run(self, node: Node, operation: Operation) -> None:
        self.site.note(converge(self.site.host(node.name), operation, say=self.say))
