"""Processes named by pid and start time, so that a recycled pid is never mistaken for the one that was started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Started:
    """A process as a pid file holds it: `pid starttime`."""

    pid: int
    start: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return start_time(self.pid) == self.start

    def stop(self, *, patience_s: float = 10) -> bool:
        """SIGTERM, then SIGKILL once patience is over; a group's leader takes its group along.

        True when it was there and is gone now.
        """
        if not self.alive:
            return False
        for number, patience in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 5.0)):
            self._tell(number)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if not self.alive:
                    return True
                time.sleep(0.05)
        return not self.alive

    def _tell(self, number: signal.Signals) -> None:
        if self.pid <= 1 or not self.alive:
            return
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def write(self, path: Path) -> None:
        """Keep it in a pid file."""
        path.write_text(f"{self.pid} {self.start}\n")


def start_time(pid: int) -> str | None:
    """When `pid` started (Linux: field 22 of its stat, in clock ticks since boot), or None when it has ended."""
    if not PROC.joinpath("self", "stat").exists():
        return _start_time_by_ps(pid)
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]  # the first of them is field 3


def _start_time_by_ps(pid: int) -> str | None:
    ran = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=10)
    state, *words = ran.stdout.split() or ["Z"]
    return None if state.startswith("Z") else " ".join(words)


def read_pid_file(path: Path) -> tuple[Started, ...]:
    """Every process named in a pid file; lines that are not `pid starttime` are passed over."""
    found = []
    for line in path.read_text().splitlines():
        pid, _, start = line.strip().partition(" ")
        if pid.isdigit() and start:
            found.append(Started(int(pid), " ".join(start.split())))
    return tuple(found)


def read_nginx_pid(path: Path) -> tuple[Started, ...]:
    """The nginx whose pid file, below its own folder, names a number alone: it must name that folder too."""
    pid = path.read_text().strip()
    if not pid.isdigit() or str(path.parent.parent) not in _command_line(int(pid)):
        return ()
    start = start_time(int(pid))
    return (Started(int(pid), start),) if start else ()


def holder(port: int) -> str:
    """Who listens on 127.0.0.1:`port`, for a person: `pid 12 (command line)`, or that it can't be seen."""
    pids = _listeners(port) if PROC.joinpath("net", "tcp").exists() else _listeners_by_lsof(port)
    return ", ".join(f"pid {pid} ({_command_line(pid)})" for pid in pids) or "a process that this user may not see"


def _listeners(port: int) -> list[int]:
    listening = "0A"
    inodes = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            rows = (line.split() for line in (PROC / "net" / table).read_text().splitlines()[1:])
            inodes |= {row[9] for row in rows if row[3] == listening and int(row[1].rpartition(":")[2], 16) == port}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    return [pid for pid in map(int, _digits(PROC)) if wanted & set(_open_files(pid))]


def _digits(folder: Path) -> Iterable[str]:
    return (entry.name for entry in folder.iterdir() if entry.name.isdigit())


def _open_files(pid: int) -> list[str]:
    found = []
    with contextlib.suppress(OSError):  # ended meanwhile, or another user's
        for link in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                found.append(str(link.readlink()))
    return found


def _listeners_by_lsof(port: int) -> list[int]:
    with contextlib.suppress(OSError):
        command = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-t"]
        return [int(pid) for pid in subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.split()]
    return []


def _command_line(pid: int) -> str:
    ran = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, timeout=10)
    return ran.stdout.strip()[:300]
