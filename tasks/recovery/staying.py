"""Faults that stay until something mends them: the service has to come back by itself."""

from __future__ import annotations

import time

from inventories.errors import Problem
from tasks.recovery.guard import LATE, Guard
from tasks.recovery.result import Course
from tasks.recovery.scene import Scene, revive

AFTER_S = 60.0  # how much longer than we wait the host waits before it undoes by itself


def sick(scene: Scene, *, restarts: bool = True) -> str:
    """Why a fault that only a watchdog mends is not played; empty where one would mend it."""
    seen, declared = scene.watching(), scene.inventory.serving.watch
    if not seen.running or seen.state is None:
        return "no watchdog runs there: nobody but the drill itself would start the engine again"
    if seen.state.breaker:
        return f"the watchdog's breaker is open: {seen.state.breaker}"
    if restarts and seen.state.restarts_in_window >= declared.restarts:
        return f"{seen.state.restarts_in_window} restarts within its window: one more opens the watchdog's breaker"
    return ""


def until_back(scene: Scene, drill: str, did: str, took: bool | None, since: float, guard: Guard | None) -> Course:
    """Wait for a completion; where none comes in time, undo, wait again, and at last start the engine ourselves."""
    patience = scene.patience_s(drill)
    back = scene.answer_after(since, patience)
    waited = time.monotonic() - since
    if guard is not None:
        guard.call_off()
    helped = "the drill's own undo on the host" if guard is not None and guard.how == LATE else ""
    left = guard.left if guard is not None else ""
    if back is None:
        scene.say(f"{scene.host.name}: {drill}: not back within {patience:.0f} s; bringing it back")
        helped, left = _bring_back(scene, left)
    return Course(did, took, back, waited, helped, left)


def _bring_back(scene: Scene, left: str) -> tuple[str, str]:
    """Who brought it back, and what is still amiss."""
    if scene.answer_after(time.monotonic(), 2.0) is not None:
        return "the drill's own undo", left
    try:
        revive(scene)
    except Problem as down:
        return "nobody", f"the service is down: {down.what}"
    return "the drill, which started the engine itself", left
