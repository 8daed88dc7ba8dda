"""The folder on a host below which everything of ours lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote

from tasks.hosts import Host, HostError
from tasks.operations.base import Step


class RootNotOurs(HostError):
    """The folder exists, and our user may not write there."""


@dataclass(frozen=True)
class RootFolder:
    """`path` is a folder that our user may write to; it is made as root where its parent is not ours."""

    path: str

    @property
    def name(self) -> str:
        """For a person."""
        return f"folder {self.path}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Make it; one that is there is never given another owner."""
        path = quote(self.path)
        found = host.run(
            f'p={path}; if [ -d "$p" ] && [ -w "$p" ]; then echo ours; '
            'elif [ -e "$p" ]; then stat -c \'theirs %U %F\' "$p"; else '
            'while [ ! -e "$p" ]; do p=$(dirname "$p"); done; [ -w "$p" ] && echo absent || echo "absent $(id -un)"; fi'
        ).check()
        state, *words = found.stdout.split()
        if state == "theirs":
            raise RootNotOurs(
                f"{self.path} exists and our user may not write there: it is a {' '.join(words[1:])} of {words[0]}",
                where=host.name,
                fix="give it to the user of `ssh.user`, or name another `root` in the inventory; nothing was touched",
            )
        if state == "absent":
            make = f"install -d -m 0755 -o {quote(words[0])} {path}" if words else f"mkdir -p -m 0755 {path}"
            yield Step(f"make the folder {self.path}", make, sudo=bool(words))
