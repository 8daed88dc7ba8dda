"""This process, named so that a later one on the same machine can tell whether it still runs."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

_PROC = Path("/proc")


def ourselves() -> str:
    """Machine, boot, pid namespace, pid and start time, with slashes between; empty where there is no /proc."""
    place = _place()
    return f"{place}/{os.getpid()}/{_started(os.getpid())}" if place else ""


def has_ended(process: str) -> bool:
    """Whether `process` ran here and is gone; False also when it ran elsewhere, where nobody can tell."""
    place, _, rest = process.partition("/")
    pid, _, started = rest.partition("/")
    if not place or place != _place() or not pid.isdecimal() or not started:
        return False
    return _started(int(pid)) != started


def _place() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = (_PROC / "self/ns/pid").readlink()
    except OSError:
        return ""
    return re.sub(r"[^\w.-]", "_", f"{socket.gethostname()}-{boot}-{namespace}")


def _started(pid: int) -> str:
    """Field 22 of its stat, in clock ticks since boot; empty where it is gone or a zombie."""
    try:
        state, *rest = (_PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state == "Z" else rest[18]
