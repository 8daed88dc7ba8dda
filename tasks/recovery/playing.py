"""One drill from the first look to the last: look, hurt, watch, undo, look again."""

from __future__ import annotations

import time

from inventories.errors import Problem
from tasks.facts.watch import WatchEvent
from tasks.hosts import HostError, now
from tasks.recovery.base import drill
from tasks.recovery.result import Course, Drilled, Seen
from tasks.recovery.scene import NotToBeDrilled, Scene, Standing, lost, standing, working
from tasks.releases import read_slots
from tasks.service_gaps import Service, ServiceWatch

HELD = "held"  # the watchdog's word for "a run works here, so I do nothing"
WATCHED_S = 60.0  # a watchdog that was restarted says its first word within


def played(scene: Scene, name: str) -> Drilled:
    """The drill's record; raises before anything is hurt, or when the host is lost, never between."""
    chosen, at = drill(name), now()
    release, run = scene.slot.release, scene.site.run_id
    if why := chosen.why_not(scene):
        return Drilled(name, at, run, release, why_not=why)
    words = {scene.words(), scene.words()}
    before = standing(scene)
    watch = ServiceWatch(scene.site)
    watch.start()
    try:
        course = chosen.play(scene)
    finally:
        service = watch.stop()
    return _looked_again(scene, Drilled(name, at, run, release), course, service, words, before)


def _looked_again(
    scene: Scene, drilled: Drilled, course: Course, service: Service, words: set[str], before: Standing
) -> Drilled:
    unusable, same = _said(scene, words)
    after = _standing(scene, before)
    live = read_slots(scene.host, scene.root).live
    return Drilled(
        drilled.drill,
        drilled.at,
        drilled.run,
        drilled.release,
        course=course,
        seen=Seen(service.asked, service.answered, round(service.without_s, 1)),
        release_after=live.release if live else "",
        unusable=unusable,
        same_words=same,
        lost=lost(before, after),
        meanwhile=_meanwhile(scene, drilled),
    )


def _said(scene: Scene, words: set[str]) -> tuple[str, bool | None]:
    """Why the answer is none, and whether it is that from before; None where those differed."""
    try:
        text = scene.words()
    except (NotToBeDrilled, HostError) as none:
        return none.what, None
    return "", text in words if len(words) == 1 else None


def _standing(scene: Scene, before: Standing) -> Standing:
    """A watchdog that begins again with its host gets a moment."""
    end = time.monotonic() + WATCHED_S
    while True:
        after = standing(scene)
        if after.watched or not before.watched or time.monotonic() > end:
            return after
        time.sleep(1)


def _meanwhile(scene: Scene, drilled: Drilled) -> str:
    """Why it shows nothing: somebody else's run kept the watchdog from its work."""
    if drilled.drill == "bad_release":  # holds the lease itself
        return ""
    try:
        if holder := working(scene.host, scene.root):
            return f"run {holder} works on this host"
        held = [event for event in scene.watching().events if _since(event, drilled)]
    except Problem as silent:
        return f"whether somebody else worked there could not be found out: {silent.what}"
    return f"the watchdog was held: {held[-1].why or held[-1].event}" if held else ""


def _since(event: WatchEvent, drilled: Drilled) -> bool:
    return event.event.startswith(HELD) and event.at >= drilled.at.replace(microsecond=0)
