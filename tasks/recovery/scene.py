"""The deployment that a drill is played on, and what it is like before and after."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from shlex import quote

from inventories.errors import BadInput, Problem
from inventories.schema import Inventory
from serving.client import ServingError
from serving.degenerate import degenerate
from tasks import leases
from tasks.facts.base import look
from tasks.facts.boot import BootFact
from tasks.facts.watch import WatchFact, Watching
from tasks.hosts import Host
from tasks.readiness import PROMPT, PROMPT_TOKENS
from tasks.releases import Release, Slot, Slots, kept, read_slots
from tasks.runtimes.base import runtime
from tasks.service_gaps import DEADLINE_S
from tasks.site import Site
from tasks.slot_engine import SlotEngine

AGAIN_S = 0.5  # between two questions while nothing answers
WORDS_S = 300.0  # for the completion that is compared: a first one may compile


class NotToBeDrilled(Problem):
    """The deployment is not in a state in which a drill would show anything."""


@dataclass
class Scene:
    """A live release on the serving host of `site`."""

    site: Site
    slot: Slot
    release: Release
    say: Callable[[str], None] = lambda _: None
    numbers: int = field(default=0, init=False)  # of guards so far
    _budget_s: float | None = field(default=None, init=False)

    @property
    def host(self) -> Host:
        """The serving host."""
        return self.site.host(self.site.head.name)

    @property
    def root(self) -> str:
        """Where everything of ours lies there."""
        return self.site.head.root

    @property
    def inventory(self) -> Inventory:
        """As declared."""
        return self.site.inventory

    @property
    def budget_s(self) -> float:
        """The longest start."""
        if self._budget_s is None:
            self._budget_s = SlotEngine(self.site, self.say).budget().seconds
        return self._budget_s

    def patience_s(self, drill: str) -> float:
        """How long to wait: until every objective is missed, and as long as finding a fault and a start may take."""
        watch, within = self.inventory.serving.watch, self.inventory.recovery.within_s
        found = watch.failures * (watch.every_s + watch.deadline_s)
        longest: float = max(within.get(drill, 0.0), found + self.budget_s)  # type: ignore[call-overload]
        return longest

    def watching(self) -> Watching:
        """The watchdog there."""
        return look(self.host, WatchFact(self.root))

    def boot(self) -> str:
        """The boot that runs now."""
        return look(self.host, BootFact()).id

    def asked(self) -> bool:
        """Whether one token comes back through the gateway; not on the trail, as it is asked again and again."""
        port = self.inventory.serving.live_port
        try:
            with self.site.client(port, timeout=DEADLINE_S, recorded=False) as client:
                return bool(client.chat("Hello", max_tokens=1, temperature=0, timeout=DEADLINE_S).completion_tokens)
        except (ServingError, Problem, OSError):
            return False

    def answer_after(self, since: float, patience_s: float) -> float | None:
        """Seconds from `since` (monotonic) to the end of the first completion that is asked for from now on."""
        while time.monotonic() - since < patience_s:
            if self.asked():
                return time.monotonic() - since
            time.sleep(AGAIN_S)
        return None

    def words(self) -> str:
        """What the model says at temperature 0; NotToBeDrilled where that is no answer."""
        try:
            with self.site.client(self.inventory.serving.live_port, timeout=WORDS_S) as client:
                answer = client.chat(PROMPT, max_tokens=PROMPT_TOKENS, temperature=0, timeout=WORDS_S)
        except ServingError as error:
            raise self._unfit(f"it gives no completion: {error}") from None
        text = answer.thinking + answer.content
        why = "no token was generated" if not answer.completion_tokens else degenerate(text)
        if why is not None:
            raise self._unfit(f"its completion is none: {why}")
        return text

    def _unfit(self, why: str) -> NotToBeDrilled:
        return NotToBeDrilled(
            why,
            where=f"{self.host.name}: port {self.inventory.serving.live_port}",
            fix="see `beachhead watch`, mend the deployment, then drill: a fault on a sick service shows nothing",
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What must be the same before and after: slots, the watchdog with a closed breaker, the host's journal."""

    slots: Slots
    watched: bool
    breaker: str
    journal_lines: int


def standing(scene: Scene) -> Standing:
    """As it is now."""
    seen = scene.watching()
    journal = quote(f"{scene.root}/journal.jsonl")
    count = scene.host.run(f"if [ -e {journal} ]; then wc -l < {journal}; else echo 0; fi").check().stdout
    breaker = seen.state.breaker if seen.state else ""
    return Standing(read_slots(scene.host, scene.root), seen.running, breaker, int(count))


def lost(before: Standing, after: Standing) -> tuple[str, ...]:
    """What was there and isn't."""
    found = []
    if after.slots != before.slots:
        found.append(f"slots.json says {after.slots}, and said {before.slots}")
    if before.watched and not after.watched:
        found.append("the watchdog does not run any more")
    if after.breaker and not before.breaker:
        found.append(f"the watchdog's breaker is open: {after.breaker}")
    if after.journal_lines < before.journal_lines:
        found.append(f"the host's journal has {after.journal_lines} lines, and had {before.journal_lines}")
    return tuple(found)


def opened(site: Site, say: Callable[[str], None] = lambda _: None) -> Scene:
    """The scene of what is live; raises where there is nothing that could be drilled, or somebody works there."""
    host, root = site.host(site.head.name), site.head.root
    live = read_slots(host, root).live
    if live is None:
        raise BadInput(
            "nothing is live, so there is nothing to drill",
            where=f"{host.name}: {root}/state/slots.json",
            fix=f"run `beachhead provision {site.inventory.name}` first",
        )
    if holder := working(host, root):
        raise NotToBeDrilled(
            f"another run works on this host ({holder}): while it does, the watchdog restarts nothing",
            where=f"{host.name}: {root}/lease",
            fix="wait until it has ended",
        )
    return Scene(site, live, kept(host, root, live.release), say)


def working(host: Host, root: str) -> str:
    """The run that holds the host's lease in this boot, or nothing; one that fell silent holds it no more."""
    held = leases.read(host, root)
    if held is None or held.boot != look(host, BootFact()).id:
        return ""
    uptime = float(host.run("cut -d' ' -f1 /proc/uptime").check().stdout)
    return held.run or "unknown" if uptime - held.renewed_s < leases.STALE_S else ""


def revive(scene: Scene) -> None:
    """The live release answers at the gateway, whatever was done to it; raises what keeps it down."""
    engines, site = SlotEngine(scene.site, scene.say), scene.site
    engines.start(scene.release, scene.slot)
    for operation in runtime(site.inventory).gateway(site, scene.slot):
        engines.bring_about(operation)
