"""Faults that end by themselves: the service has to answer again once they have."""

from __future__ import annotations

import time
from collections.abc import Callable

from tasks.narration import ticking
from tasks.recovery.guard import RESTARTED, Guard
from tasks.recovery.result import Course
from tasks.recovery.scene import Scene
from tasks.recovery.staying import until_back


def held(scene: Scene, drill: str, did: str, took: Callable[[], bool | None], guard: Guard) -> Course:
    """Let the fault last, end it, wait for a completion.  `took` is asked while it lasts."""
    seconds = scene.inventory.recovery.hold_s
    with ticking(f"{scene.host.name}: {drill}: {seconds} s", scene.say):
        time.sleep(seconds)
        taken = took()
    guard.call_off()
    if guard.how == RESTARTED:
        taken = None
    return until_back(scene, drill, f"{did}, for {seconds} s", taken, time.monotonic(), guard)
