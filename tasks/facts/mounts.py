"""The file systems of a host with their room, and the one that a path is on."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.reading import Reading, filled, match, sections, understood, whole

_DF = "LC_ALL=C df -B1 --output=source,fstype,size,avail,itotal,iavail,target"
_HEADING = ["Filesystem", "Type", "1B-blocks", "Avail", "Inodes", "IFree", "Mounted", "on"]
_LINE = r"(\S.*?) +(\S+) +([0-9]+|-) +([0-9]+|-) +([0-9]+|-) +([0-9]+|-) (/.*)"


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system; inodes are None where it has no fixed number, bytes where it has none to give."""

    source: str
    filesystem: str
    size_bytes: int | None
    free_bytes: int | None
    inodes: int | None
    free_inodes: int | None
    path: str


@dataclass(frozen=True, slots=True)
class MountOf:
    """The Mount that a path is on, its options, and whether its disk rotates (unknown for a network or RAM disk)."""

    mount: Mount
    options: tuple[str, ...]
    rotational: Reading[bool]

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written."""
        return "ro" in self.options


@dataclass(frozen=True)
class MountsFact:
    """Every Mount that df lists.  It fails where one does not answer (a stale network mount).

    Sample: "/dev/vda  ext4  270553174016 78352756736 16777216 16191636 /" below the heading.
    """

    command: str = _DF

    @understood
    def parse(self, stdout: str) -> tuple[Mount, ...]:
        """One Mount a line."""
        return _mounts(stdout.splitlines())


@dataclass(frozen=True)
class MountOfFact:
    """The MountOf `path`, or of its nearest existing folder.

    Sample: "@@ df\\n… /\\n@@ options\\nrw,relatime\\n@@ rotational\\n1"
    """

    path: str

    @property
    def command(self) -> str:
        """Ask df, the kernel's table of mounts and the disk's own queue."""
        return (
            f'd={shlex.quote(self.path)}; while [ ! -e "$d" ]; do d=$(dirname "$d"); done; echo "@@ df"; '
            f'{_DF} "$d" || exit; echo "@@ options"; findmnt -n -f -o OPTIONS -T "$d" || exit; echo "@@ rotational"; '
            'n=/sys/dev/block/$(findmnt -n -f -o MAJ:MIN -T "$d" | tr -d " "); '
            "cat $n/queue/rotational 2>/dev/null || cat $n/../queue/rotational 2>/dev/null || echo no disk"
        )

    @understood
    def parse(self, stdout: str) -> MountOf:
        """Read the three answers."""
        table, (options,), (rotational,) = sections(stdout, "df", "options", "rotational")
        (mount,) = _mounts(table)
        known: Reading[bool] = Reading(None, "no disk")
        if rotational != "no disk":
            known = Reading({"0": False, "1": True}[rotational])
        return MountOf(mount, tuple(filled(options).split(",")), known)


def _mounts(lines: list[str]) -> tuple[Mount, ...]:
    if lines[0].split() != _HEADING:
        raise ValueError("another heading")
    return tuple(map(_mount, lines[1:]))


def _mount(line: str) -> Mount:
    source, filesystem, *numbers, path = match(_LINE, line).groups()
    size, free, inodes, free_inodes = (None if text == "-" else whole(text) for text in numbers)
    return Mount(source, filesystem, size, free, inodes or None, free_inodes if inodes else None, path)
