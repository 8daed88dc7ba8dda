"""An engine in a slot of the serving host: started until it answers, or stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.text_file import TextFile
from tasks.gateway.secrets import engine_key
from tasks.multihost.cluster import Cluster
from tasks.multihost.plan import layout
from tasks.multihost.refusals import spans_hosts
from tasks.operations.base import Change, NotConverged, Operation, converge
from tasks.operations.files import File, Folder
from tasks.operations.watch_config import NotWatchable, Watchable
from tasks.readiness import died, wait_ready
from tasks.releases import Release, Slot, keep
from tasks.runtimes.base import Runtime, runtime
from tasks.site import Site
from tasks.start_budget import StartBudget, disk_speed, start_budget

Say = Callable[[str], None]


@dataclass
class SlotEngine:
    """What a rollout does with engines; everything that it changes is noted in the host's journal."""

    site: Site
    say: Say = lambda _: None
    _budget: StartBudget | None = field(default=None, init=False)

    @property
    def runtime(self) -> Runtime:
        """How engines are kept there."""
        return runtime(self.site.inventory)

    @property
    def group(self) -> Cluster | None:
        """What stands around the engine where several hosts serve one model."""
        return Cluster(self.site, self.say) if spans_hosts(self.site.inventory) else None

    def check(self) -> None:
        """The hosts can serve the model together; raises BadInput before one is touched."""
        if spans_hosts(self.site.inventory):
            layout(self.site.inventory)

    def bring_about(self, operation: Operation) -> Change:
        """Converge one operation on the serving host."""
        change = converge(self.site.host(self.site.head.name), operation, say=self.say)
        self.site.note(change)
        return change

    def start(self, release: Release, slot: Slot) -> None:
        """The release runs in the slot and has answered; raises EngineDied and NotReady."""
        site, root = self.site, self.site.head.root
        for name, mode in (("run", "0755"), ("state", "0755"), ("secrets", "0700")):
            self.bring_about(Folder(f"{root}/{name}", mode))
        variable = engine(site.inventory.engine.kind).key_variable
        key = f"{variable}={engine_key(site)}\n" if variable else ""
        written = self.bring_about(File(f"{root}/secrets/engine.env", key, mode="0600", what="the engine's key file"))
        if written.steps:  # a process that runs still has the old key
            self.stop(slot)
        keep(site.host(site.head.name), root, release)
        if self.group is not None:
            release = self.group.up(release, slot)
        try:
            started = self.bring_about(self.runtime.running(site, release, slot))
        except NotConverged:  # it ended while we looked
            raise died(site, slot, self.runtime.log(site, slot)) from None
        budget = self.budget()
        wait_ready(site, self.runtime, slot, budget_s=budget.seconds, say=self.say)
        self._watchable(release, slot, budget.seconds, started=bool(started.steps))

    def _watchable(self, release: Release, slot: Slot, budget_s: float, *, started: bool) -> None:
        """The watchdog knows how to start it anew; ranks on other hosts that wait for the head it can't start."""
        site = self.site
        if self.group is not None and site.inventory.serving.many_nodes == "vllm":
            self.bring_about(NotWatchable(site.head.root, slot))
            return
        words = self.runtime.words(site, release, slot)
        if words is not None and site.inventory.serving.watch.enabled and (started or self._unknown(release, slot)):
            self.bring_about(Watchable(site.head.root, release, slot, words, budget_s, log=words.log))

    def _unknown(self, release: Release, slot: Slot) -> bool:
        """Whether the watchdog has no commands for it yet; those that it has stay, with the budget of then."""
        root = self.site.head.root
        file = TextFile(f"{root}/releases/{release.id}/watch-{slot.port}.json")
        return look(self.site.host(self.site.head.name), file) is None

    def stop(self, slot: Slot) -> None:
        """Nothing runs in the slot."""
        if self.group is not None:
            self.group.stop(slot)
        else:
            self.bring_about(self.runtime.stopped(self.site, slot))

    def budget(self) -> StartBudget:
        """How long a start may take here; the disk is measured once."""
        if self._budget is None:
            inventory, head = self.site.inventory, self.site.head
            declared = inventory.serving.start_budget_s is not None
            speed = None if declared else disk_speed(self.site.host(head.name), f"{head.root}/models")
            self._budget = start_budget(inventory, speed)
            self.say(f"{head.name}: start budget {self._budget.seconds:.0f} s: {self._budget.why}")
        return self._budget
