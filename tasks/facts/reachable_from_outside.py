"""At which of a host's addresses a port answers: on which one it is bound, and what a connection to each one gives.

A connection from the host to its own outward address takes the path of an outside one as far as the socket: what is
bound to loopback refuses it.  It passes no firewall, so it finds more than an outsider would, never less.
"""

from __future__ import annotations

import ipaddress
import shlex
import socket
from dataclasses import dataclass
from enum import StrEnum

from tasks.facts.listening_ports import ListeningPort, ListeningPortFact
from tasks.facts.reading import match, sections, understood, whole


class Knock(StrEnum):
    """What a TCP connection came to."""

    OPENED = "opened"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection to `address`:`port`, made on the host itself (`from_host`) or from this machine."""

    address: str
    port: int
    knock: Knock
    from_host: bool = True


@dataclass(frozen=True, slots=True)
class Reachable:
    """A port, the addresses that it is bound to, and the attempts at the host's outward addresses."""

    port: int
    bound: tuple[str, ...]
    attempts: tuple[Attempt, ...]

    @property
    def loopback_only(self) -> bool | None:
        """Whether nothing but loopback reaches it; None where no outward address was there to try.

        A port that nothing listens on is not reached from outside either: see `bound`.
        """
        if any(attempt.knock is Knock.OPENED for attempt in self.attempts):
            return False
        if not all(_is_loopback(address) for address in self.bound):
            return False
        return True if self.attempts else None


@dataclass(frozen=True)
class ReachableFact:
    """A Reachable for each of `ports`, in their order.

    Sample: "@@ listening\\n@@ tcp\\nLISTEN 0 128 127.0.0.1:8001 0.0.0.0:*\\n@@ end\\n@@ knocks\\n
    10.0.0.5 8001 refused\\n@@ done"; where the host has no outward address there are no knocks.
    """

    ports: tuple[int, ...]

    @property
    def command(self) -> str:
        """Sockets by ss; connections by bash, which needs no tool and gives up after two seconds."""
        ports = " ".join(shlex.quote(str(port)) for port in self.ports)
        knock = (
            'timeout 2 bash -c "exec 3<>/dev/tcp/$a/$p" 2>/dev/null; s=$?; '
            'case $s in 0) w=opened;; 124) w=silent;; *) w=refused;; esac; echo "$a $p $w"'
        )
        outward = "ip -o addr show scope global | sed -n 's/.* inet6\\{0,1\\} \\([^/ ]*\\).*/\\1/p'"
        return (
            f"echo '@@ listening'; {ListeningPortFact().command}; echo '@@ knocks'; "
            f"o=$(LC_ALL=C {outward}) || exit; for a in $o; do for p in {ports}; do {knock}; done; done; echo '@@ done'"
        )

    @understood
    def parse(self, stdout: str) -> tuple[Reachable, ...]:
        """Every port's sockets and attempts."""
        first, tcp, end, knocks, _ = sections(stdout, "listening", "tcp", "end", "knocks", "done")
        if first or end:
            raise ValueError("lines outside of their section")
        listening = ListeningPortFact().parse("\n".join(["@@ tcp", *tcp, "@@ end"]))
        attempts = tuple(map(_attempt, knocks))
        return tuple(_reachable(port, listening, attempts) for port in self.ports)


def knock_from_here(address: str, port: int, *, timeout_s: float = 3.0) -> Attempt:
    """One connection from this machine; a name that has no address is silence."""
    try:
        with socket.create_connection((address, port), timeout_s):
            knock = Knock.OPENED
    except ConnectionRefusedError:
        knock = Knock.REFUSED
    except OSError:
        knock = Knock.SILENT
    return Attempt(address, port, knock, from_host=False)


def _attempt(line: str) -> Attempt:
    found = match(r"([0-9a-fA-F.:]+) ([0-9]{1,5}) (opened|refused|silent)", line)
    ipaddress.ip_address(found[1])
    return Attempt(found[1], whole(found[2]), Knock(found[3]))


def _reachable(port: int, listening: tuple[ListeningPort, ...], attempts: tuple[Attempt, ...]) -> Reachable:
    bound = tuple(sorted({one.address for one in listening if one.port == port}))
    return Reachable(port, bound, tuple(attempt for attempt in attempts if attempt.port == port))


def _is_loopback(address: str) -> bool:
    """As ss spells it: 127.0.0.1, [::1], *, 0.0.0.0, 127.0.0.53%lo."""
    try:
        return ipaddress.ip_address(address.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return False
