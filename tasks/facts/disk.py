"""Room on the file system that holds a path."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.base import NotUnderstood


@dataclass(frozen=True, slots=True)
class Disk:
    """Free room in bytes and inodes, and where the file system is mounted."""

    free_bytes: int
    free_inodes: int | None  # None where the file system has no fixed number (btrfs)
    mount: str


@dataclass(frozen=True)
class DiskFact:
    """The Disk below `path` (its nearest existing folder).

    Sample: "  Avail  IFree Mounted on\\n85899345920 16000000 /"
    """

    path: str

    @property
    def command(self) -> str:
        """`df` on the nearest folder that exists."""
        return (
            f'd={shlex.quote(self.path)}; while [ ! -e "$d" ]; do d=$(dirname "$d"); done; '
            'df -B1 --output=avail,iavail,target "$d"'
        )

    def parse(self, stdout: str) -> Disk:
        """Read the line below the heading."""
        try:
            avail, inodes, mount = stdout.splitlines()[1].split(None, 2)
            free_inodes = int(inodes) if inodes.isdecimal() and int(inodes) > 0 else None
            return Disk(int(avail), free_inodes, mount.strip())
        except (IndexError, ValueError):
            raise NotUnderstood(self, stdout) from None
