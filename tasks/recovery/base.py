"""A recovery drill: one file of this folder, named as in the inventory's `recovery.drills`, that holds `DRILL`."""

from __future__ import annotations

import importlib
from typing import Protocol

from tasks.recovery.result import Course
from tasks.recovery.scene import Scene


class Drill(Protocol):
    """One kind of fault on the serving host.  Whatever it hurts it has armed an undo for, on the host, before."""

    @property
    def does(self) -> str:
        """What is done to the host, for whoever has to agree."""
        ...

    def why_not(self, scene: Scene) -> str:
        """Why it is not played here; empty where it can be.  Looks, and changes nothing."""
        ...

    def play(self, scene: Scene) -> Course:
        """Hurt, wait, undo."""
        ...


def drill(name: str) -> Drill:
    """The drill of that name."""
    found: Drill = importlib.import_module(f"tasks.recovery.{name}").DRILL
    return found
