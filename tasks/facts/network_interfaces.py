"""The network interfaces of a host."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import Reading, choice, filled, match, understood, whole


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """One interface; the speed is what it negotiated, unknown for most virtual ones and for a link that is down."""

    name: str
    up: bool
    mtu: int
    speed_mbit_s: Reading[int]
    has_device: bool  # false for loopback, bridges, tunnels and the like


@dataclass(frozen=True)
class NetworkInterfaceFact:
    """Every NetworkInterface.

    Sample: "eth0 mtu=1400 state=up speed=-1 device=yes\\nlo mtu=65536 state=unknown speed=none device=no"
    """

    command: str = (
        'cd /sys/class/net && for n in *; do [ -e "$n/mtu" ] || continue; s=$(cat "$n/speed" 2>/dev/null || :); '
        '[ -e "$n/device" ] && d=yes || d=no; '
        'echo "$n mtu=$(cat "$n/mtu") state=$(cat "$n/operstate") speed=${s:-none} device=$d"; done'
    )

    @understood
    def parse(self, stdout: str) -> tuple[NetworkInterface, ...]:
        """One NetworkInterface a line; every host has at least loopback."""
        lines = [line for line in stdout.splitlines() if line.strip()]
        if not lines:
            raise ValueError("no interface")
        return tuple(map(_interface, lines))


def _interface(line: str) -> NetworkInterface:
    found = match(r"(\S+) mtu=([0-9]+) state=([a-z]+) speed=(none|-?[0-9]+) device=(yes|no)", line)
    known = found[4] not in ("none", "-1", "0")
    speed: Reading[int] = Reading(whole(found[4])) if known else Reading(None, f"the kernel says {found[4]}")
    up = found[3] in ("up", "unknown")  # loopback and tunnels know no carrier
    return NetworkInterface(filled(found[1]), up, whole(found[2]), speed, choice(found[5], "yes", "no"))
