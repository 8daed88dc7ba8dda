"""Who listens on a TCP port."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.base import NotUnderstood


@dataclass(frozen=True, slots=True)
class Listener:
    """`holder` is the process as far as this user may see it, else empty."""

    busy: bool
    holder: str


@dataclass(frozen=True)
class ListenerFact:
    """Whether any address listens on `port`, from /proc/net/tcp*, and which of our processes holds it.

    Samples: "free", "busy 4711 /opt/x/bin/python -m vllm…", "busy"
    """

    port: int

    @property
    def command(self) -> str:
        """Find the socket's inode, then the process that has it open."""
        return (
            f"inode=$(awk '$4 == \"0A\" && $2 ~ /:{self.port:04X}$/ {{print $10}}' /proc/net/tcp /proc/net/tcp6 "
            "2>/dev/null | head -n 1); "
            'if [ -z "$inode" ]; then echo free; else '
            'fd=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" 2>/dev/null | head -n 1); '
            'pid=$(echo "$fd" | cut -d/ -f3); '
            "echo busy $pid $([ -n \"$pid\" ] && tr '\\0' ' ' < /proc/$pid/cmdline | head -c 200); fi"
        )

    def parse(self, stdout: str) -> Listener:
        """Read "free" or "busy" with what follows."""
        word, _, rest = stdout.strip().partition(" ")
        if word == "free":
            return Listener(False, "")
        if word == "busy":
            return Listener(True, rest.strip())
        raise NotUnderstood(self, stdout)
