"""Folders and small files on the host."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.hosts import Host
from tasks.operations.base import Step


@dataclass(frozen=True)
class Folder:
    """`path` is a folder of ours with `mode`."""

    path: str
    mode: str = "0755"

    @property
    def name(self) -> str:
        """For a person."""
        return f"folder {self.path}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Make it, or mend its mode."""
        path = shlex.quote(self.path)
        found = host.run(f"stat -c '%F %a' {path} 2>/dev/null || echo absent").check().stdout.strip()
        if found != f"directory {self.mode.lstrip('0')}":
            yield Step(f"make the folder {self.path}", f"mkdir -p {path} && chmod {self.mode} {path}")


@dataclass(frozen=True)
class File:
    """`path` holds exactly `content`, with `mode`.  The content travels on stdin and is compared by digest."""

    path: str
    content: str
    mode: str = "0644"
    what: str = "file"

    @property
    def name(self) -> str:
        """For a person."""
        return f"{self.what} {self.path}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Write it whole, by rename, when digest or mode differ."""
        path, part = shlex.quote(self.path), shlex.quote(self.path + ".part")
        wanted = f"{hashlib.sha256(self.content.encode()).hexdigest()} {self.mode.lstrip('0')}"
        found = host.run(
            f"[ -f {path} ] && echo $(sha256sum < {path} | cut -d' ' -f1) $(stat -c %a {path}) || echo absent"
        ).check()
        if found.stdout.strip() != wanted:
            yield Step(
                f"write {self.what} {self.path}",
                f"umask 077 && cat > {part} && chmod {self.mode} {part} && mv -f {part} {path}",
                stdin=self.content,
            )
