"""Every TCP port that something on the host listens on, and who that is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.reading import match, sections, understood, whole

_OWNER = re.compile(r"\(\"((?:[^\"\\]|\\.)*)\",pid=([0-9]+),fd=[0-9]+\)")


@dataclass(frozen=True, slots=True)
class PortOwner:
    """A process with the socket open."""

    pid: int
    process: str


@dataclass(frozen=True, slots=True)
class ListeningPort:
    """An address and port; no owners where this user may not see them."""

    address: str
    port: int
    owners: tuple[PortOwner, ...]


@dataclass(frozen=True)
class ListeningPortFact:
    """Every ListeningPort; as root with the owners of all.

    Sample: "@@ tcp\\nLISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\\"sshd\\",pid=812,fd=3))\\n@@ end"
    """

    command: str = "echo '@@ tcp'; LC_ALL=C ss -H -l -t -n -p || exit; echo '@@ end'"

    @understood
    def parse(self, stdout: str) -> tuple[ListeningPort, ...]:
        """One a line between the marks."""
        listed, _ = sections(stdout, "tcp", "end")
        return tuple(_port(line) for line in listed if line.strip())


def _port(line: str) -> ListeningPort:
    found = match(r"LISTEN +[0-9]+ +[0-9]+ +(\S+):([0-9]+) +\S+:(?:\*|[0-9]+) *(?:users:\((.*)\))?.*", line)
    owners = [PortOwner(whole(pid), name) for name, pid in _OWNER.findall(found[3] or "")]
    if found[3] and not owners:
        raise ValueError("owners that can't be read")
    return ListeningPort(found[1], whole(found[2]), tuple(dict.fromkeys(owners)))
