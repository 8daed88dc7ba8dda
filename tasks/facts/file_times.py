"""When the files and folders of a checkpoint were last written and last changed in any way, by the host's clock."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.reading import fields, match, number, sections, understood, whole


@dataclass(frozen=True, slots=True)
class FileTime:
    """`written` is mtime and `changed` ctime, seconds since 1970; `path` is relative, empty for the folder itself.

    Only the kernel sets ctime: it moves with every write, rename, link, and change of owner, rights or mtime.
    """

    path: str
    folder: bool
    size: int
    inode: int
    written: float
    changed: float


@dataclass(frozen=True, slots=True)
class FileTimes:
    """Everything below one folder, and the host's own clock when it was read."""

    clock: float
    found: tuple[FileTime, ...]


@dataclass(frozen=True)
class FileTimesFact:
    """The FileTimes of `folder`; what a downloader keeps in .cache is left out.

    Sample: "@@ clock\\nnow=1795383196.240513\\n@@ files\\nd 4096 7 1795383100.5 1795383100.5 \\nf 1119 8 … config.json"
    """

    path: str

    @property
    def command(self) -> str:
        """GNU find; a folder that isn't there is an error."""
        folder = shlex.quote(self.path)
        return (
            f"echo '@@ clock'; echo now=$(date +%s.%N); echo '@@ files'; "
            f"find {folder} -path {shlex.quote(self.path + '/.cache')} -prune -o "
            "-printf '%y %s %i %T@ %C@ %P\\n' || exit; echo '@@ end'"
        )

    @understood
    def parse(self, stdout: str) -> FileTimes:
        """One a line; the folder itself is the first."""
        clock, listed, _ = sections(stdout, "clock", "files", "end")
        found = tuple(map(_file, listed))
        if not found or found[0].path or not found[0].folder or len({one.path for one in found}) != len(found):
            raise ValueError("not a folder's listing")
        return FileTimes(number(fields("\n".join(clock), "now")[0]), found)


def _file(line: str) -> FileTime:
    kind, size, inode, written, changed, path = match(
        r"([a-zA-Z]) ([0-9]+) ([0-9]+) (-?[0-9.]+) (-?[0-9.]+) (.*)", line
    ).groups()
    return FileTime(path, kind == "d", whole(size), whole(inode), number(written), number(changed))
