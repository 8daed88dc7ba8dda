"""The folder below which everything of ours lies, on the disk that was meant for it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from inventories.errors import Problem
from tasks.facts.base import look
from tasks.facts.mounts import MountOfFact
from tasks.facts.reading import match, understood, whole
from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.directory import Directory
from tasks.operations.path_state import checked_path


class WrongMount(Problem):
    """The folder would lie on another file system than the declared one, or on one that can't take it."""


@dataclass(frozen=True)
class OwnerFact:
    """Who we are on the host, as user:group.  Sample: "ops:ops"."""

    command: str = 'echo "$(id -un):$(id -gn)"'

    @understood
    def parse(self, stdout: str) -> str:
        """The one line."""
        return match(r"[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+", stdout.strip()).group()


@dataclass(frozen=True)
class UsedBytesFact:
    """Bytes that files below `path` take on its own file system; 0 where there is no such folder.  Sample: "4096"."""

    path: str

    @property
    def command(self) -> str:
        """What du counts, hard links once."""
        path = shlex.quote(self.path)
        return f"if [ -d {path} ]; then du -sxB1 -- {path} | cut -f1; else echo 0; fi"

    @understood
    def parse(self, stdout: str) -> int:
        """One number."""
        return whole(stdout.strip())


@dataclass(frozen=True)
class ModelDirectory:
    """`path` is a folder of the user we log in as, on the mount point `mount`, with room for `room_bytes` in all.

    No disk is ever formatted or mounted; where `mount` is empty any file system will do.
    """

    path: str
    mount: str = ""
    room_bytes: int = 0

    def __post_init__(self) -> None:
        checked_path(self.path)

    @property
    def name(self) -> str:
        """For a person."""
        return f"folder {self.path} for models"

    def plan(self, host: Host) -> Iterator[Step]:
        """Refuse the wrong place, then make the folder or mend its owner."""
        below = look(host, MountOfFact(self.path))
        if self.mount and below.mount.path != self.mount:
            what = f"{self.path} lies on {below.mount.path} ({below.mount.source}), and {self.mount} was declared"
            raise WrongMount(what, where=host.name, fix=f"mount the disk at {self.mount}, or correct the inventory")
        if below.read_only:
            raise WrongMount(
                f"{below.mount.path} is mounted read-only", where=host.name, fix="see dmesg: is the disk ill?"
            )
        free = below.mount.free_bytes or 0
        if (
            free < self.room_bytes
            and free + (used := look(host, UsedBytesFact(self.path), timeout=600)) < self.room_bytes
        ):
            raise WrongMount(
                f"{self.room_bytes / 1e9:.0f} GB are to lie below {self.path}; {free / 1e9:.1f} GB are free on "
                f"{below.mount.path} and {used / 1e9:.1f} GB are used by the folder itself",
                where=host.name,
                fix="free room there, or set the host's `root` to a larger file system",
            )
        yield from Directory(self.path, look(host, OwnerFact()), "0755").plan(host)
