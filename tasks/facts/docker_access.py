"""How our user may talk to the Docker engine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tasks.facts.reading import understood


class DockerAccess(StrEnum):
    """`ROOT`: not as our user, so root must ask; whether the engine runs at all shows then."""

    ABSENT = "absent"
    DIRECT = "direct"
    ROOT = "root"

    @property
    def needs_root(self) -> bool:
        """Whether a command is to be run by sudo."""
        return self is not DockerAccess.DIRECT


@dataclass(frozen=True)
class DockerAccessFact:
    """The user's DockerAccess.

    Samples: "absent", "direct", "root"
    """

    command: str = (
        "PATH=$PATH:/usr/sbin:/sbin; if ! command -v docker >/dev/null 2>&1; then echo absent; "
        "elif docker version --format '{{.Server.Version}}' >/dev/null 2>&1; then echo direct; else echo root; fi"
    )

    @understood
    def parse(self, stdout: str) -> DockerAccess:
        """The one word."""
        return DockerAccess(stdout.strip())
