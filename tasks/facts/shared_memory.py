"""The host's /dev/shm, through which the ranks of an engine talk to each other."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import filled, understood, whole


@dataclass(frozen=True, slots=True)
class SharedMemory:
    """Size and free room; `filesystem` other than "tmpfs" means that nothing is mounted there."""

    filesystem: str
    size_bytes: int
    free_bytes: int


@dataclass(frozen=True)
class SharedMemoryFact:
    """The host's SharedMemory; a container has its own, of 64 MiB by default.

    Sample: "Type     1B-blocks       Avail\\ntmpfs  25276510208 25276493824"
    """

    command: str = "LC_ALL=C df -B1 --output=fstype,size,avail /dev/shm"

    @understood
    def parse(self, stdout: str) -> SharedMemory:
        """Read the line below the heading."""
        heading, line = stdout.splitlines()
        if heading.split() != ["Type", "1B-blocks", "Avail"]:
            raise ValueError("another heading")
        filesystem, size, free = line.split()
        return SharedMemory(filled(filesystem), whole(size), whole(free))
