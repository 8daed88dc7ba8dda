"""Runs on the host: what the watchdog reads and writes there, besides the engine's port.  Python 3.9 and later."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PROC = Path("/proc")
LEASE_STALE_S = 600  # as tasks/leases.py has it
EVENTS_BYTES = 1 << 20  # then the file is begun anew, and the last one kept
LOG_BYTES = 64 << 20  # then a companion's log is set aside
LOGS_KEPT = 4
LOG_HEAD_BYTES = 1 << 20  # of an engine's log: how it started is read from there
SAID_BYTES = 4000


def uptime() -> float:
    """Seconds since the host booted, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """The boot that runs now."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def wall() -> str:
    """Now, for a person."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


def shell(command: str, timeout_s: float) -> tuple[int, str]:
    """Exit status and the end of what it wrote; 124 where it did not end in time.

    Output goes to a file: a process that the command leaves running would keep a pipe open.
    """
    with tempfile.TemporaryFile() as said:
        try:
            status = subprocess.run(
                ["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=said, stderr=said, timeout=timeout_s
            ).returncode
        except subprocess.TimeoutExpired:
            status = 124
        said.seek(max(0, said.seek(0, os.SEEK_END) - SAID_BYTES))
        return status, said.read().decode("utf-8", "replace").strip()


def read_json(path: Path) -> Any:
    """Its value, or None where it is not there or can't be read as JSON."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def replace_text(path: Path, text: str) -> None:
    """Whole or not at all, and on the disk."""
    part = path.with_name(path.name + ".part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def append_event(path: Path, event: dict[str, Any]) -> None:
    """One line, on the disk before the next thing happens; a torn line before it is closed."""
    set_aside(path, EVENTS_BYTES + 1, 1)
    with path.open("ab") as file:
        torn = file.tell() > 0 and not path.read_bytes().endswith(b"\n")
        file.write((b"\n" if torn else b"") + json.dumps(event).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def set_aside(path: Path, size: int, kept: int) -> bool:
    """A file of `size` bytes or more becomes `.1`, that one `.2`, and so on to `kept`; whether it did."""
    if not path.is_file() or path.stat().st_size < size:
        return False
    for n in range(kept, 0, -1):
        newer = path.with_name(f"{path.name}.{n - 1}") if n > 1 else path
        if newer.exists():
            newer.replace(path.with_name(f"{path.name}.{n}"))
    return True


def cut_short(path: Path, size: int, head: int) -> bool:
    """A log of `size` bytes or more keeps the whole lines of its first `head`; all of it goes to `.full`.

    Its writer must append: after one that doesn't the file is long again, and hollow, which is left as it is.  What is
    written between the copy and the cut is lost.
    """
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    if now.st_size < size or now.st_blocks * 512 < size // 32:  # a file system that packs it leaves more
        return False
    full = path.with_name(f"{path.name}.full")
    shutil.copyfile(path, full)
    with path.open("r+b") as log:
        log.truncate(log.read(head).rfind(b"\n") + 1)
    with path.open("ab") as log:
        log.write(f"[{wall()} cut here by the watchdog: {full.name} is all up to now]\n".encode())
    return True


def secret(path: Path, name: str) -> str:
    """The value of NAME=value in a file that only its owner reads; empty where there is none."""
    try:
        for line in path.read_text().splitlines():
            key, equals, value = line.strip().partition("=")
            if equals and key == name:
                return value.strip("'\"")
    except OSError:
        pass
    return ""


def lease_holder(root: Path, boot: str, now: float) -> str:
    """The run that works on this host, or nothing; a lease of another boot or a silent one counts no more."""
    try:
        lines = (root / "lease").read_text().splitlines()
    except OSError:
        return ""
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    renewed = found.get("renewed", "")
    age = now - int(renewed) if renewed.isdecimal() else 0
    return found.get("run", "unknown") if found.get("boot") == boot and age < LEASE_STALE_S else ""


@contextlib.contextmanager
def locked(path: Path, wait_s: float) -> Iterator[bool]:
    """The flock on `path`; gives False where it is not to be had within `wait_s` seconds."""
    end = time.monotonic() + wait_s
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= end:
                    yield False
                    return
                time.sleep(0.1)
            else:
                yield True
                return


def stat_of(pid: int) -> list[str]:
    """The words of /proc/PID/stat: name, state, parent, group, session, …; empty where it has ended."""
    try:
        before, _, after = (PROC / str(pid) / "stat").read_text().rpartition(") ")
    except OSError:
        return []
    return [before.partition("(")[2], *after.split()]


def numbers() -> Iterable[int]:
    """Every process's number."""
    return [int(each.name) for each in PROC.iterdir() if each.name.isdecimal()]


def listener(port: int) -> int | None:
    """The process that listens at `port`, or None where there is none or it is another user's."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            rows = (line.split() for line in (PROC / "net" / table).read_text().splitlines()[1:])
            inodes |= {row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for pid in numbers() if wanted else ():
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) in wanted for link in (PROC / str(pid) / "fd").iterdir()):
                return pid
    return None


def processes(port: int) -> list[str]:
    """Every process of the session that listens at `port`, as "PID STATE NAME"; T is stopped, Z ended, D stuck."""
    first = listener(port)
    session = stat_of(first)[4] if first and stat_of(first) else None
    found = [(pid, stat_of(pid)) for pid in numbers()] if session else []
    return [f"{pid} {stat[1]} {stat[0]}" for pid, stat in found if stat and stat[4] == session]
