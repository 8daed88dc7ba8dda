"""The limits that the kernel puts on our own session."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import match, understood, whole

_FILES, _MEMORY, _PROCESSES = "Max open files", "Max locked memory", "Max processes"


@dataclass(frozen=True, slots=True)
class Limit:
    """What holds now and how far a process may raise it; None is no limit."""

    soft: int | None
    hard: int | None


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """Limits of the session that asked.  A systemd service and a container have their own."""

    open_files: Limit
    locked_bytes: Limit
    processes: Limit


@dataclass(frozen=True)
class ProcessLimitsFact:
    """Our ProcessLimits on the host.

    Sample: "Max open files            20000                20000                files     "
    """

    command: str = "cat /proc/self/limits"

    @understood
    def parse(self, stdout: str) -> ProcessLimits:
        """Read three lines by their titles."""
        lines = stdout.splitlines()
        return ProcessLimits(*(_limit(lines, title) for title in (_FILES, _MEMORY, _PROCESSES)))


def _limit(lines: list[str], title: str) -> Limit:
    (line,) = [line for line in lines if line.startswith(f"{title} ")]
    found = match(rf"{title} +([0-9]+|unlimited) +([0-9]+|unlimited) +\S+ *", line)
    soft, hard = (None if text == "unlimited" else whole(text) for text in found.groups())
    return Limit(soft, hard)
