"""One run of an inventory at a time on this machine."""

from __future__ import annotations

import fcntl
import os
from typing import TextIO

from inventories.errors import Problem
from inventories.schema import Inventory
from tasks.site import home


class AlreadyRunning(Problem):
    """Another run of this inventory, on this machine, is under way."""


def lock(inventory: Inventory, run_id: str) -> TextIO:
    """Held until this process ends, however it ends; a killed one leaves no lock behind."""
    file = home() / inventory.name / "lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = file.open("a+", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        holder = handle.read().strip()
        handle.close()
        raise AlreadyRunning(
            f"another run of {inventory.name} is under way ({holder or 'it has just begun'})",
            where=str(file),
            fix="wait for it, or end that process; a run that was killed holds no lock",
        ) from None
    handle.seek(0)
    handle.truncate()
    handle.write(f"run {run_id}, process {os.getpid()}")
    handle.flush()
    return handle
