"""A folder of the system, with its owner."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from inventories.errors import Problem
from tasks.facts.base import look
from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.path_state import PathStateFact, checked_mode, checked_owner, checked_path


class InTheWay(Problem):
    """Something of another kind lies at the path."""


@dataclass(frozen=True)
class Directory:
    """`path` is a folder of `owner` (user:group) with `mode`.  What is in it is left alone."""

    path: str
    owner: str = "root:root"
    mode: str = "0755"

    def __post_init__(self) -> None:
        checked_path(self.path), checked_owner(self.owner), checked_mode(self.mode)

    @property
    def name(self) -> str:
        """For a person."""
        return f"folder {self.path}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Make it, or mend owner and mode; refuse what is no folder."""
        found = look(host, PathStateFact(self.path))
        path, mode = shlex.quote(self.path), checked_mode(self.mode)
        own = f"chown -- {shlex.quote(self.owner)} {path} && chmod {mode} -- {path}"
        if found is None:
            yield Step(f"make the folder {self.path}", f"mkdir -p -- {path} && {own}", sudo=True)
        elif found.kind != "directory":
            raise InTheWay(
                f"a {found.kind} is where the folder should be",
                where=f"{host.name}: {self.path}",
                fix="move it away, or name another folder; nothing was touched",
            )
        elif (found.mode, found.owner) != (mode, self.owner):
            yield Step(f"set owner {self.owner} and mode {self.mode} of {self.path}", own, sudo=True)
