"""Drill: every process of the live engine is killed, as by the kernel when memory runs out."""

from __future__ import annotations

import time

from tasks.recovery.base import Drill
from tasks.recovery.engine_processes import processes, required, signalled, still
from tasks.recovery.guard import guarded
from tasks.recovery.result import Course
from tasks.recovery.scene import Scene
from tasks.recovery.staying import AFTER_S, sick, until_back
from tasks.runtimes.base import runtime


class Kill:
    """SIGKILL; the undo starts the engine where nobody else has."""

    does = "kills every process of the live engine (SIGKILL); nobody is served until it is started again"

    def why_not(self, scene: Scene) -> str:
        """Where nobody would start it."""
        return sick(scene)

    def play(self, scene: Scene) -> Course:
        """Kill them and wait for a completion."""
        words = runtime(scene.inventory).words(scene.site, scene.release, scene.slot)
        undo = f"{{ {words.alive}; }} || {{ {words.start}; }}" if words else "true"
        before = required(scene)
        with guarded(scene, undo, scene.patience_s("kill") + AFTER_S) as guard:
            since = time.monotonic()
            signalled(scene, "KILL", before)
            took = not still(before, processes(scene))
            did = f"killed {len(before)} processes of the engine"
            return until_back(scene, "kill", did, took, since, guard)


DRILL: Drill = Kill()
