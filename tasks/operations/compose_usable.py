"""Docker with a Compose plugin that understands our files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inventories.errors import Problem
from tasks.facts.base import look
from tasks.facts.compose_version import ComposeVersionFact
from tasks.facts.docker_access import DockerAccess, DockerAccessFact
from tasks.hosts import Host
from tasks.operations.base import Step

OLDEST = (2, 20)  # Ubuntu 24.04 has 2.24, Debian 13 has 2.26; version 1 ended in 2023


class NoCompose(Problem):
    """Docker or its Compose plugin is missing, or too old."""


@dataclass(frozen=True)
class ComposeUsable:
    """`docker compose` is there.  Where `declared`, the inventory's `stack:` puts it there; else it is only looked at.

    Nothing is ever installed by this: a host's Docker may carry containers of others.
    """

    declared: bool

    @property
    def name(self) -> str:
        """For a person."""
        return "Docker Compose"

    def plan(self, host: Host) -> Iterator[Step]:
        """No step; raises NoCompose."""
        yield from ()
        access = look(host, DockerAccessFact())
        if access is DockerAccess.ABSENT:
            if not self.declared:
                raise _missing(host, "Docker is not installed")
            return
        version = look(host, ComposeVersionFact(access.needs_root))
        if version is None and not self.declared:
            raise _missing(host, "Docker has no Compose plugin")
        if version is not None and version < OLDEST:
            found, needed = (".".join(map(str, each)) for each in (version, OLDEST))
            raise _missing(host, f"Docker Compose is {found}, and {needed} is the oldest that is supported")


def _missing(host: Host, what: str) -> NoCompose:
    return NoCompose(
        what,
        where=host.name,
        fix="add `stack: {containers: {}}` to the host in the inventory, or install docker-compose-plugin there",
    )
