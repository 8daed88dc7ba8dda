"""Real vLLM for CPU in a container: how it is looked at."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from tasks.compose.names import engine_service
from tasks.releases import Slot
from tests.compose.ground import ComposeGround
from tests.hosts.docker import docker


def healthy(ground: ComposeGround, slot: Slot) -> bool:
    """Docker's own probe, a completion inside the container, comes to the same end."""
    asked = ("inspect", "--format", "{{.State.Health.Status}}", ground.project.container(engine_service(slot)))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and docker(*asked) != "healthy":
        time.sleep(1)
    return docker(*asked) == "healthy"


def listening_elsewhere(ground: ComposeGround, slot: Slot) -> list[str]:
    """TCP sockets of the container's processes that listen on another address than loopback."""
    pids = docker("top", ground.project.container(engine_service(slot)), "-o", "pid").split()[1:]
    inodes = set()
    for pid in pids:
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            if found := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd)):
                inodes.add(found[1])
    rows = [line.split() for file in ("tcp", "tcp6") for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]]
    mine = [row for row in rows if row[3] == "0A" and row[9] in inodes]
    assert mine, "nothing listens: the look is wrong"
    loopback = ("0100007F", "00000000000000000000000001000000")
    return [row[1] for row in mine if row[1].partition(":")[0] not in loopback]
