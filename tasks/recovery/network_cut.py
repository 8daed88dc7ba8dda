"""Drill: what comes to the gateway's port is dropped, for a while; SSH is left alone."""

from __future__ import annotations

from math import ceil

from tasks.hosts import SudoRefused
from tasks.recovery.base import Drill
from tasks.recovery.guard import guarded
from tasks.recovery.passing import held
from tasks.recovery.result import Course
from tasks.recovery.scene import Scene

LONGER_S = 60.0  # how much longer than the drill means to cut it the host keeps it cut
TABLE = "beachhead_drill"
_PATH = "PATH=$PATH:/usr/sbin:/sbin; "


def cut(port: int, seconds: int) -> str:
    """Shell: an nftables table; the kernel forgets its port after `seconds`, whoever may be alive then.

    At raw's priority, before an address is translated, so that a gateway in a container is cut off too.
    """
    rules = (
        f"table inet {TABLE} {{\n"
        f"set ports {{ type inet_service; flags timeout; elements = {{ {port} timeout {seconds}s }}; }}\n"
        "chain cut { type filter hook prerouting priority -300; policy accept; tcp dport @ports drop; }\n}"
    )
    return f"{_PATH}nft '{rules}'"


def mend() -> str:
    """Shell: without that table."""
    return f"{_PATH}nft list table inet {TABLE} > /dev/null 2>&1 || exit 0; nft delete table inet {TABLE}"


class NetworkCut:
    """Packets are dropped, not refused: to a client it looks like a dead link."""

    does = "drops everything that comes to the gateway's port for recovery.hold_s seconds; SSH goes on"

    def why_not(self, scene: Scene) -> str:
        """Without root or nftables."""
        try:
            asked = scene.host.run(f"{_PATH}nft list tables", sudo=True)
        except SudoRefused:
            return "closing a port takes root, and sudo gives it not"
        if asked.exit != 0:
            return f"nftables can't be asked: {asked.stderr.strip()[:120]}"
        return f"an earlier cut is still there (table inet {TABLE})" if TABLE in asked.stdout else ""

    def play(self, scene: Scene) -> Course:
        """Cut it, hold it, mend it."""
        seconds, port = scene.inventory.recovery.hold_s + LONGER_S, scene.inventory.serving.live_port
        with guarded(scene, mend(), seconds, sudo=True) as guard:
            scene.host.run(cut(port, ceil(seconds)), sudo=True).check()
            return held(scene, "network_cut", f"dropped packets to port {port}", lambda: not scene.asked(), guard)


DRILL: Drill = NetworkCut()
