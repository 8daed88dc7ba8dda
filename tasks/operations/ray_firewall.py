"""On a host of a group: what the nodes say to each other is closed to everyone else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.ray_node import AUTOSCALER_PORT, GCS_PORT

TABLE = "beachhead_peers"
_PATH = "PATH=$PATH:/usr/sbin:/sbin"


@dataclass(frozen=True)
class PeersOnly:
    """New TCP connections to Ray's ports, to `ports` and to those that the kernel gives come from `peers` alone.

    vLLM's message queues, torch's store and NCCL listen on ports that the kernel gives (`kernel_ports`, Linux's
    default range), some of them on every interface.  The table is our own; no other rule is touched, and it is gone
    after a restart of the host, as Ray is.
    """

    peers: tuple[str, ...]
    ports: tuple[int, ...] = ()
    kernel_ports: str = "32768-60999"

    @property
    def name(self) -> str:
        """For a person."""
        return f"ports between the nodes are open to {', '.join(self.peers)} alone"

    @property
    def rules(self) -> str:
        """The table, for `nft -f`; it takes the place of an earlier one in one step."""
        peers = ", ".join(str(IPv4Address(peer)) for peer in self.peers)
        singles = sorted({*self.ports, AUTOSCALER_PORT} - set(range(GCS_PORT, 6500)))
        low, high = map(int, self.kernel_ports.split("-"))
        ports = ", ".join([f"{GCS_PORT}-6499", *(str(p) for p in singles if not low <= p <= high), f"{low}-{high}"])
        return (
            f"table inet {TABLE} {{\n"
            "  chain input {\n"
            "    type filter hook input priority -5; policy accept;\n"
            '    iifname "lo" accept\n'
            f"    ip saddr {{ {peers} }} accept\n"
            f"    tcp dport {{ {ports} }} ct state new drop\n"
            "  }\n"
            "}\n"
        )

    @property
    def digest(self) -> str:
        """Twelve hex digits of the rules, kept as a comment in the table."""
        return hashlib.sha256(self.rules.encode()).hexdigest()[:12]

    def plan(self, host: Host) -> Iterator[Step]:
        """Put the table there where it isn't, or is another one."""
        mark = f'comment "beachhead {self.digest}"'
        listed = host.run(f"{_PATH} nft list table inet {TABLE} 2>/dev/null || true", sudo=True).check().stdout
        if mark in listed and "drop" in listed and "policy accept" in listed:
            return
        marked = self.rules.replace(" ct state new drop", f" ct state new drop {mark}")
        yield Step(
            f"close Ray's and the ranks' ports to all but {', '.join(self.peers)}",
            f"{_PATH} nft -f -",
            stdin=f"table inet {TABLE}\ndelete table inet {TABLE}\n{marked}",
            sudo=True,
        )
