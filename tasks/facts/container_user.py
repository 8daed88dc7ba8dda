"""As whom a container must run to be the owner of a folder of the host."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.reading import match, understood


@dataclass(frozen=True)
class FolderOwnerFact:
    """The owner of `path` as "uid:gid"; empty where that is root.

    Samples: "1000:1000", "0:0"
    """

    path: str

    @property
    def command(self) -> str:
        """By numbers: the container has other names."""
        return f"stat -c %u:%g -- {shlex.quote(self.path)}"

    @understood
    def parse(self, stdout: str) -> str:
        """Two numbers."""
        owner = match(r"([0-9]+):[0-9]+", stdout.strip())
        return "" if owner[1] == "0" else owner.group()
