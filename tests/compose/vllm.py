"""Real vLLM for CPU in a container: how it is looked at."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
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


def _sockets(pid: str) -> Iterator[str]:
    with suppress(FileNotFoundError):  # it has ended
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                if found := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd)):
                    yield found[1]


def listening_elsewhere(ground: ComposeGround, slot: Slot) -> list[str]:
    """TCP sockets of the container's processes that listen on another address than loopback."""
    pids = docker("top", ground.project.container(engine_service(slot)), "-o", "pid").split()[1:]
    inodes = {inode for pid in pids for inode in _sockets(pid)}
    rows = [line.split() for file in ("tcp", "tcp6") for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]]
    mine = [row for row in rows if row[3] == "0A" and row[9] in inodes]
    assert mine, "nothing listens: the look is wrong"
    loopback = ("0100007F", "00000000000000000000000001000000")
    return [row[1] for row in mine if row[1].partition(":")[0] not in loopback]
