"""From a release on disk to a release in service, and back.  The proven process itself is promoted, never a copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from inventories.errors import BadInput, Problem
from tasks.gateway.draining import drained
from tasks.readiness import answers
from tasks.releases import Release, Slot, Slots, kept, read_slots, wanted, write_slots
from tasks.site import Site
from tasks.slot_engine import SlotEngine
from tasks.watching import watching

Say = Callable[[str], None]


class NotPromoted(Problem):
    """The gateway did not answer with the proven release; what was live before is live again."""


@dataclass(frozen=True)
class Rollout:
    """The serving host of `site`, with the verbs that change what it serves."""

    site: Site
    say: Say = lambda _: None

    @property
    def _root(self) -> str:
        return self.site.head.root

    @property
    def host_name(self) -> str:
        """The serving host."""
        return self.site.head.name

    def slots(self) -> Slots:
        """What stands where now."""
        return read_slots(self.site.host(self.host_name), self._root)

    def _write(self, slots: Slots) -> Slots:
        return write_slots(self.site.host(self.host_name), self._root, slots)

    @cached_property
    def _engines(self) -> SlotEngine:
        return SlotEngine(self.site, self.say)

    def _start(self, release: Release, slot: Slot) -> None:
        self._engines.start(release, slot)

    def _stop(self, slot: Slot) -> None:
        self._engines.stop(slot)

    def stage(self) -> Slot:
        """The inventory's release serves on the host's loopback alone; adopts it where it already does."""
        self._engines.check()
        release = wanted(self.site.inventory, self.site.head)
        slots = self.slots()
        slot = slots.serving(release.id)
        if slot is None:
            slot = self._make_room(slots, release)
        try:
            self._start(release, slot)
        except Problem:
            self.withdraw()
            raise
        return slot

    def _make_room(self, slots: Slots, release: Release) -> Slot:
        for old in (slots.candidate, slots.previous):
            if old is not None:
                self._stop(old)
        serving = self.site.inventory.serving
        taken = slots.live.port if slots.live else None
        slot = Slot(release.id, next(port for port in serving.slots if port != taken))
        if serving.mode == "in-place" and slots.live is not None:
            self.say(f"{self.host_name}: in-place: stopping the live engine {slots.live.release} to make room")
            self._stop(slots.live)
        self._write(replace(slots, candidate=slot))
        return slot

    def withdraw(self) -> None:
        """Take a candidate away, leave what is live alone (in-place: start it again)."""
        slots = self.slots()
        if slots.candidate is not None:
            self._stop(slots.candidate)
            slots = self._write(replace(slots, candidate=None))
        if slots.live is not None and self.site.inventory.serving.mode == "in-place":
            self._start(self._kept(slots.live), slots.live)

    def _show(self, slot: Slot | None) -> None:
        for operation in self._engines.runtime.gateway(self.site, slot):
            self._engines.bring_about(operation)

    def promote(self) -> Slots:
        """Open the gateway to the candidate and prove it by a request.

        What was live before runs on until `settle`, so that it can be taken back at once.  Nothing changes where the
        inventory's release is live already.
        """
        before = self.slots()
        release = wanted(self.site.inventory, self.site.head)
        slot = before.serving(release.id)
        if slot is None:
            raise BadInput(
                f"release {release.id} is not staged",
                where=f"{self.host_name}: {self._root}/state/slots.json",
                fix="run `beachhead deploy` (and let it be judged) first",
            )
        after = before if slot == before.live else Slots(live=slot, candidate=None, previous=before.live)
        self._switch(before, after)
        return after

    def settle(self) -> Slots:
        """What is live has proven itself: what was live before it is stopped, and kept to go back to."""
        slots = self.slots()
        if slots.previous is not None:
            self._drain(slots.previous)
            self._stop(slots.previous)
        for operation in watching(self.site):
            self._engines.bring_about(operation)
        return slots

    def rollback(self) -> Slots:
        """Serve the release that was live before, proven by a request; what is live now becomes the previous one."""
        before = self.slots()
        live, earlier = before.live, before.previous
        if earlier is None:
            raise BadInput(
                "there is no earlier release to go back to",
                where=f"{self.host_name}: {self._root}/state/slots.json",
                fix="deploy the release that you want from its inventory",
            )
        if before.candidate is not None:
            self._stop(before.candidate)
            before = self._write(replace(before, candidate=None))
        in_place = self.site.inventory.serving.mode == "in-place"
        if in_place and live is not None:
            self._stop(live)
        try:
            self._start(self._kept(earlier), earlier)
            after = Slots(live=earlier, previous=live)
            self._switch(before, after)
        except Problem:
            self._stop(earlier)
            if in_place and live is not None:
                self._start(self._kept(live), live)
            raise
        if live is not None:
            self._drain(live)
            self._stop(live)
        return after

    def retreat(self) -> Slots:
        """After a promotion that was not proven live: what was live before serves again, or nothing does.

        Whatever fails on the way, the earlier engine is left running.  What is taken back is nothing to go back to.
        """
        before = self.slots()
        bad, earlier = before.live, before.previous
        in_place = self.site.inventory.serving.mode == "in-place"
        if bad is not None and (in_place or earlier is None):
            self._stop(bad)
        if earlier is not None:
            self._start(self._kept(earlier), earlier)
        after = self._write(Slots(live=earlier))
        self._show(earlier)
        if earlier is not None:
            answers(self.site, self.site.inventory.serving.live_port, say=self.say)
            if bad is not None and not in_place:
                self._stop(bad)
        return after

    def _drain(self, slot: Slot) -> None:
        """Streams that it began go on to their end, for as long as one may be silent."""
        host = self.site.host(self.host_name)
        drained(host, slot.port, self.site.inventory.serving.gateway.stream_s, say=self.say)

    def _kept(self, slot: Slot) -> Release:
        return kept(self.site.host(self.host_name), self._root, slot.release)

    def _switch(self, before: Slots, after: Slots) -> None:
        self._write(after)
        try:
            self._show(after.live)
            answers(self.site, self.site.inventory.serving.live_port, say=self.say)
        except Problem as error:
            self._write(before)
            self._show_again(before.live)
            raise NotPromoted(
                f"the gateway did not serve the release, so nothing was promoted: {error.what}",
                where=error.where,
                fix=error.fix,
            ) from error

    def _show_again(self, slot: Slot | None) -> None:
        """Best effort: the fault that brought us here is what is told."""
        try:
            self._show(slot)
        except Problem as fault:
            self.say(f"{self.host_name}: the gateway could not be set back: {fault.what}")
