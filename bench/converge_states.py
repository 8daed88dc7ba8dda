"""Two desired states of the bench's ten steps that the product has no operation for."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.hosts import Host
from tasks.operations.base import Step


def _seen(host: Host, command: str) -> str:
    return host.run(command, sudo=True).check().stdout.strip()


@dataclass(frozen=True)
class Group:
    """A system group exists."""

    group: str

    @property
    def name(self) -> str:
        return f"group {self.group}"

    def plan(self, host: Host) -> Iterator[Step]:
        if not _seen(host, f"getent group {shlex.quote(self.group)} || true"):
            yield Step(f"add the group {self.group}", f"groupadd --system {shlex.quote(self.group)}", sudo=True)


@dataclass(frozen=True)
class Link:
    """A symbolic link leads to its target."""

    path: str
    target: str

    @property
    def name(self) -> str:
        return f"link {self.path}"

    def plan(self, host: Host) -> Iterator[Step]:
        if _seen(host, f"readlink {shlex.quote(self.path)} || true") != self.target:
            yield Step(f"link {self.path}", shlex.join(("ln", "-sfn", self.target, self.path)), sudo=True)
