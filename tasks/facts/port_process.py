"""The process that listens on a TCP port: when it began, and with which words."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import match, understood, whole

_BETWEEN = "\x1f"  # where the kernel has a zero byte


@dataclass(frozen=True, slots=True)
class PortProcess:
    """`began` in seconds since 1970 by the host's clock, to within the second in which it booted."""

    pid: int
    began: float
    argv: tuple[str, ...]


@dataclass(frozen=True)
class PortProcessFact:
    """The PortProcess of `port`, None where nothing listens or this user may not see who does.

    Samples: "nobody", "hidden", "4711 123456 100 1795383000 python␟-m␟vllm␟" with the character 31 for each ␟
    """

    port: int

    @property
    def command(self) -> str:
        """The socket's inode, the process that has it open, its start in ticks since boot, its words."""
        return (
            f"inode=$(awk '$4 == \"0A\" && $2 ~ /:{self.port:04X}$/ {{print $10}}' /proc/net/tcp /proc/net/tcp6 "
            '2>/dev/null | head -n 1); [ -n "$inode" ] || { echo nobody; exit 0; }; '
            'fd=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" 2>/dev/null | head -n 1); '
            'pid=$(echo "$fd" | cut -d/ -f3); [ -n "$pid" ] || { echo hidden; exit 0; }; '
            "echo $pid $(sed 's/.*) //' /proc/$pid/stat | cut -d' ' -f20) $(getconf CLK_TCK) "
            "$(awk '/^btime/ {print $2}' /proc/stat) \"$(tr '\\0' '\\037' < /proc/$pid/cmdline)\""
        )

    @understood
    def parse(self, stdout: str) -> PortProcess | None:
        """One word, or five."""
        line = stdout.strip(" \n")
        if line in ("nobody", "hidden"):
            return None
        five = r"([0-9]+) ([0-9]+) ([1-9][0-9]*) ([0-9]+) ((?s:[^ ].*)\x1f)"
        pid, ticks, hertz, boot, words = match(five, line).groups()
        return PortProcess(whole(pid), whole(boot) + whole(ticks) / whole(hertz), tuple(words.split(_BETWEEN)[:-1]))
