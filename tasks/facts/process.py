"""A background process that we started, found again by its pid file."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.base import NotUnderstood


@dataclass(frozen=True, slots=True)
class Process:
    """`pid` is None where it doesn't run: never started, ended, or its number belongs to another process now."""

    pid: int | None
    was_started: bool

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.pid is not None


@dataclass(frozen=True)
class ProcessFact:
    """The process that `pid_file` names as "PID STARTTIME" (field 22 of /proc/PID/stat, so that a recycled
    number is never mistaken).  A zombie does not run.

    Samples: "running 4711", "ended", "never"
    """

    pid_file: str

    @property
    def command(self) -> str:
        """Compare the start time that was noted with that of the process of this number."""
        return (
            f"f={shlex.quote(self.pid_file)}; "
            'if [ ! -s "$f" ]; then echo never; else read -r pid start < "$f"; '
            "set -- $(sed 's/.*) //' /proc/$pid/stat 2>/dev/null); "
            'if [ "${20:-none}" = "$start" ] && [ "$1" != Z ]; then echo running $pid; else echo ended; fi; fi'
        )

    def parse(self, stdout: str) -> Process:
        """Read the one word."""
        words = stdout.split()
        if words[:1] == ["running"] and len(words) == 2 and words[1].isdecimal():
            return Process(int(words[1]), True)
        if words == ["ended"]:
            return Process(None, True)
        if words == ["never"]:
            return Process(None, False)
        raise NotUnderstood(self, stdout)
