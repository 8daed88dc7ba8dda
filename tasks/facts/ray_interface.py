"""The network interface that holds one of the host's addresses."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from tasks.facts.reading import Reading, match, needs, understood


@dataclass(frozen=True)
class InterfaceOfAddressFact:
    """The name of the interface with `address`; missing where no interface of the host has it.

    Sample: "2: eth0    inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0\\\\       valid_lft forever …"
    """

    address: str

    @property
    def command(self) -> str:
        """Ask for that very address."""
        return f"{needs('ip')}; LC_ALL=C ip -o -4 addr show to {IPv4Address(self.address)}/32"

    @understood
    def parse(self, stdout: str) -> Reading[str]:
        """At most one line."""
        lines = [line for line in stdout.splitlines() if line.strip()]
        if not lines:
            return Reading(None, f"no interface has the address {self.address}")
        return Reading(match(r"[0-9]+: ([^\s@:]+)(?:@\S+)? +inet [0-9./]+ .*", lines[0])[1])
