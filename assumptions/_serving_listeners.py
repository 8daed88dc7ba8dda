"""Who listens on a serving host, and whether an engine's port is reached by more than the host itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Outcome, Part
from assumptions._host import attempt
from assumptions._parts import check
from tasks.facts.listening_ports import ListeningPort, ListeningPortFact
from tasks.facts.reachable_from_outside import Knock, Reachable, ReachableFact
from tasks.facts.reading import Reading
from tasks.hosts import Host

LOOPBACK = ("127.", "[::1]", "[::ffff:127.")
WORKERS = ("VLLM::", "ray::")  # how engines call the processes of their ranks


@dataclass(frozen=True, slots=True)
class Listeners:
    """Every listening socket, and a connection to each engine port at each outward address of the host.

    `engine` is empty where the engine has no port on the host at all.
    """

    engine: tuple[int, ...]
    found: Reading[tuple[ListeningPort, ...]]
    knocked: Reading[tuple[Reachable, ...]]


def listeners(host: Host, engine: tuple[int, ...]) -> Listeners:
    """Sockets by ss, connections from the host to itself; what could not be read stands with its reason."""
    knocked = attempt(host, ReachableFact(engine)) if engine else Reading[tuple[Reachable, ...]](())
    return Listeners(engine, attempt(host, ListeningPortFact()), knocked)


def bound(seen: Listeners) -> Iterator[Part]:
    """An engine's port must be bound to loopback, and refuse at every outward address."""
    name, expected = "engine's ports", "loopback alone"
    if not seen.engine:
        yield Part(name, Outcome.NOT_APPLICABLE, "a pod's ports are closed by the cluster's NetworkPolicy")
        return
    if seen.found.value is None:
        yield check(name, None, f"could not be read: {seen.found.why_not}", expected=expected)
    else:
        found = [port for port in seen.found.value if port.port in seen.engine]
        outside = [port for port in found if not port.address.startswith(LOOPBACK)]
        said = ", ".join(f"{port.address}:{port.port}" for port in outside or found)
        holds = None if not found else not outside
        yield check(name, holds, said or "nothing listens", expected=expected, measured=len(outside))
    yield _knocks(seen.knocked)


def _knocks(knocked: Reading[tuple[Reachable, ...]]) -> Part:
    name, expected = "engine's ports, outward addresses", "refused"
    if knocked.value is None:
        return check(name, None, f"could not be tried: {knocked.why_not}", expected=expected)
    tried = [attempt for port in knocked.value for attempt in port.attempts]
    opened = [attempt for attempt in tried if attempt.knock is Knock.OPENED]
    if not tried:
        return Part(name, Outcome.NOT_APPLICABLE, "the host has no outward address to knock at")
    said = ", ".join(f"{each.address}:{each.port} {each.knock}" for each in (opened or tried)[:6])
    return check(name, not opened, said, expected=expected, measured=f"{len(opened)} of {len(tried)} opened")


def ranks_outside(seen: Listeners) -> list[ListeningPort]:
    """Other ports of the engine's ranks that are bound to more than loopback, as far as this user sees owners."""
    return [
        port
        for port in seen.found.value or ()
        if not port.address.startswith(LOOPBACK) and any(own.process.startswith(WORKERS) for own in port.owners)
    ]
