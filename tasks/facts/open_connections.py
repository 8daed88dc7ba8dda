"""How many TCP connections a port on the host serves now."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import understood, whole


@dataclass(frozen=True)
class OpenConnectionsFact:
    """Established connections whose own end is `port`: behind the gateway each is one request in flight.

    Sample: "3"
    """

    port: int

    @property
    def command(self) -> str:
        """From /proc/net/tcp*, where 01 is established; no tool is needed."""
        own = f'$4 == "01" && $2 ~ /:{self.port:04X}$/ {{ n++ }} END {{ print n + 0 }}'
        return f"cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '{own}'"

    @understood
    def parse(self, stdout: str) -> int:
        """One number."""
        return whole(stdout.strip())
