"""Drill: every process of the live engine is stopped, as a driver or a network disk stops it: alive, and silent."""

from __future__ import annotations

import time
from dataclasses import replace

from tasks.recovery.base import Drill
from tasks.recovery.engine_processes import in_container, processes, required, signal_words, signalled, still
from tasks.recovery.guard import guarded
from tasks.recovery.result import Course
from tasks.recovery.scene import Scene
from tasks.recovery.staying import AFTER_S, sick, until_back


class Freeze:
    """SIGSTOP; the undo is SIGCONT to those very processes."""

    does = "stops every process of the live engine (SIGSTOP); nobody is served until the watchdog has replaced it"

    def why_not(self, scene: Scene) -> str:
        """Where nobody would replace it."""
        return sick(scene)

    def play(self, scene: Scene) -> Course:
        """Stop them and wait for a completion of others: one of theirs means that somebody let them go on."""
        before = required(scene)
        undo = signal_words("CONT", before)
        with guarded(scene, undo, scene.patience_s("freeze") + AFTER_S, sudo=in_container(scene)) as guard:
            since = time.monotonic()
            signalled(scene, "STOP", before)
            stopped = still(before, processes(scene))
            took = len(stopped) == len(before) and all(each.state in "Tt" for each in stopped)
            course = until_back(scene, "freeze", f"stopped {len(before)} processes of the engine", took, since, guard)
        if course.back_s is not None and not course.helped and still(before, processes(scene)):
            return replace(course, helped="somebody who let the stopped processes go on")
        return course


DRILL: Drill = Freeze()
