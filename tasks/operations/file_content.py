"""Files of the system: one that holds exactly a text, and one that has a line."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname
from typing import ClassVar

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.text_file import TextFile
from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.directory import InTheWay
from tasks.operations.path_state import PathStateFact, checked_mode, checked_owner, checked_path

_FILES = ("regular file", "regular empty file", "symbolic link")


@dataclass(frozen=True)
class FileContent:
    """`path` holds exactly `content`, of `owner` (user:group) with `mode`.

    The content travels on stdin, so that no command line or record holds it, and is compared by digest.
    """

    path: str
    content: str
    mode: str = "0644"
    owner: str = "root:root"

    def __post_init__(self) -> None:
        checked_path(self.path), checked_owner(self.owner), checked_mode(self.mode)

    @property
    def name(self) -> str:
        """For a person."""
        return f"file {self.path}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Write it whole, by rename, when digest, mode or owner differ."""
        found = look(host, PathStateFact(self.path))
        if found and found.kind not in _FILES:
            raise InTheWay(
                f"a {found.kind} is where the file should be", where=f"{host.name}: {self.path}", fix="move it away"
            )
        digest = hashlib.sha256(self.content.encode()).hexdigest()
        if found and (found.sha256, found.mode, found.owner) == (digest, checked_mode(self.mode), self.owner):
            return
        part = shlex.quote(f"{self.path}.part")
        own = f"chown -- {shlex.quote(self.owner)} {part} && chmod {checked_mode(self.mode)} -- {part}"
        yield Step(f"write {self.path}", written(self.path, self.content, own), stdin=self.content, sudo=True)


def written(path: str, content: str, own: str) -> str:
    """A command line that puts its stdin at `path` whole or not at all; `own` sets the owner of the part.

    The size is compared before the move: to `cat`, a connection that breaks looks like the end of the file.
    """
    target, part, folder = shlex.quote(path), shlex.quote(f"{path}.part"), shlex.quote(dirname(path))
    whole = f'[ "$(wc -c < {part})" -eq {len(content.encode())} ]'
    made = f"umask 022 && mkdir -p -- {folder} && umask 077 && cat > {part}"
    return f"{made} && {whole} && {own} && mv -fT -- {part} {target}"


@dataclass(frozen=True)
class _RootTextFile(TextFile):
    needs_root: ClassVar[bool] = True


@dataclass(frozen=True)
class LineInFile:
    """`path` has `line`; where `instead_of` (a regular expression) fits another line, `line` takes its place.

    Every other line, the owner and the mode stay.  A file that is not there is made.
    """

    path: str
    line: str
    instead_of: str = ""

    def __post_init__(self) -> None:
        checked_path(self.path)
        if "\n" in self.line or not self.line.strip():
            raise BadInput(f"{self.line!r} is not one line", where="line of an operation", fix="write one line of text")

    @property
    def name(self) -> str:
        """For a person."""
        return f"line in {self.path}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Add or replace it, in one write."""
        text = look(host, _RootTextFile(self.path))
        wanted = self.changed(text or "")
        if text == wanted:
            return
        path, part = shlex.quote(self.path), shlex.quote(f"{self.path}.part")
        own = f"chown --reference={path} -- {part} && chmod --reference={path} -- {part}"
        if text is None:
            own = f"chown root:root -- {part} && chmod 644 -- {part}"
        yield Step(f"put a line into {self.path}", written(self.path, wanted, own), stdin=wanted, sudo=True)

    def changed(self, text: str) -> str:
        """`text` with the line in it, once."""
        lines = text.split("\n")
        if lines and lines[-1] == "":
            lines.pop()
        fits = [n for n, line in enumerate(lines) if self.instead_of and re.search(self.instead_of, line)]
        if fits:
            kept = [line for n, line in enumerate(lines) if n not in fits[1:]]
            kept[fits[0]] = self.line
            return "\n".join(kept) + "\n"
        if self.line in lines:
            return text
        return "\n".join([*lines, self.line]) + "\n"
