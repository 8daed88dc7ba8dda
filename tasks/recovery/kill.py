"""Drill: every process of the live engine is killed, as by the kernel when memory runs out."""

from __future__ import annotations

import time
from shlex import quote

from tasks.recovery.base import Drill
from tasks.recovery.engine_processes import processes, required, signalled, still
from tasks.recovery.guard import guarded
from tasks.recovery.result import Course
from tasks.recovery.scene import Scene
from tasks.recovery.staying import AFTER_S, sick, until_back
from tasks.runtimes.base import EngineWords, runtime

LOCK_S = 60  # a watchdog that starts the engine holds it for so long at most


def started_once(root: str, words: EngineWords) -> str:
    """Shell: start the engine unless it runs, under the lock that the watchdog and runs take for that.

    The engine keeps neither the lock nor the guard's fifo.
    """
    lock = f"exec 7>> {quote(f'{root}/lease.lock')} && flock -w {LOCK_S} 7 || exit 1"
    return f"{lock}\n{{ {words.alive}; }} || {{ {words.start}; }} 7>&- 8>&-"


class Kill:
    """SIGKILL; the undo starts the engine where nobody else has."""

    does = "kills every process of the live engine (SIGKILL); nobody is served until it is started again"

    def why_not(self, scene: Scene) -> str:
        """Where nobody would start it."""
        return sick(scene)

    def play(self, scene: Scene) -> Course:
        """Kill them and wait for a completion."""
        words = runtime(scene.inventory).words(scene.site, scene.release, scene.slot)
        undo = started_once(scene.root, words) if words else "true"
        before = required(scene)
        with guarded(scene, undo, scene.patience_s("kill") + AFTER_S) as guard:
            since = time.monotonic()
            signalled(scene, "KILL", before)
            took = not still(before, processes(scene))
            did = f"killed {len(before)} processes of the engine"
            return until_back(scene, "kill", did, took, since, guard)


DRILL: Drill = Kill()
