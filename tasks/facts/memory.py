"""The memory of a host, and the limits that are put on it."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import match, sections, understood, whole

_UNLIMITED = 1 << 62  # version 1 of control groups says "unlimited" as the largest page-aligned 63-bit number


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes, from /proc/meminfo: `available_bytes` is what can be had without swapping."""

    total_bytes: int
    available_bytes: int
    swap_total_bytes: int
    swap_free_bytes: int


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """`limit_bytes` is the tightest limit of our control group and those above it, None where there is none.

    `oom_kills` counts the processes that the kernel killed for want of memory since boot, in any group of the host.
    """

    limit_bytes: int | None
    oom_kills: int


@dataclass(frozen=True)
class MemoryFact:
    """The host's Memory.

    Sample: "MemTotal:       24684092 kB\\nMemFree: …"
    """

    command: str = "cat /proc/meminfo"

    @understood
    def parse(self, stdout: str) -> Memory:
        """Read four of the lines."""
        lines = dict(line.split(":", 1) for line in stdout.splitlines() if ":" in line)
        names = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
        return Memory(*(whole(match(r" *([0-9]+) kB", lines[name])[1]) * 1024 for name in names))


@dataclass(frozen=True)
class MemoryLimitFact:
    """The MemoryLimit of whoever asks; a container of the host may have a tighter one.

    Sample: "@@ limits\\n/process_api/e22e 9223372036854771712\\n@@ kills\\noom_kill 0"
    """

    command: str = (
        "if [ -e /sys/fs/cgroup/cgroup.controllers ]; then r=/sys/fs/cgroup; f=memory.max; "
        "p=$(sed -n 's/^0:://p' /proc/self/cgroup); else r=/sys/fs/cgroup/memory; f=memory.limit_in_bytes; "
        "p=$(sed -n 's/^[0-9]*:\\([^:]*,\\)*memory\\(,[^:]*\\)*://p' /proc/self/cgroup); fi; "
        "[ -d $r ] && [ -n \"$p\" ] || { echo 'no control group for memory' >&2; exit 1; }; echo '@@ limits'; "
        'while :; do [ -e "$r$p/$f" ] && echo "$p $(cat "$r$p/$f")"; case $p in /|.|"") break;; esac; '
        "p=$(dirname \"$p\"); done; echo '@@ kills'; grep '^oom_kill ' /proc/vmstat"
    )

    @understood
    def parse(self, stdout: str) -> MemoryLimit:
        """The smallest number; "max" is no limit."""
        limits, (kills,) = sections(stdout, "limits", "kills")
        said = [line.rpartition(" ")[2] for line in limits]
        numbers = [whole(limit) for limit in said if limit != "max"]
        tight = [limit for limit in numbers if limit < _UNLIMITED]
        return MemoryLimit(min(tight, default=None), whole(match(r"oom_kill ([0-9]+)", kills)[1]))
