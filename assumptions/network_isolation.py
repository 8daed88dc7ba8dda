"""Claim: beside the gateway nothing of the engine can be reached over the network, seen from the host and from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Outcome, Part, Sense, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import slot
from assumptions._serving_listeners import LOOPBACK, Listeners, bound, listeners, ranks_outside
from inventories.schema import Inventory
from tasks.facts.reachable_from_outside import Attempt, Knock, knock_from_here
from tasks.site import Site

HERE = ("127.0.0.1", "::1", "localhost", "local", "")
SOURCE = "K2 Thinking guide §8.1: a private network without access from outside; vLLM's own advice, docs/usage/security"


@dataclass(frozen=True, slots=True)
class Network:
    """The host's listeners, and connections from this machine to the host's address.

    `address` is "" where the host is this machine, so that nothing could be tried from outside.
    """

    address: str
    ports: Listeners
    knocks: tuple[Attempt, ...]


def observe(site: Site, stage: Stage) -> Network:
    """Sockets of the host, and one connection from here to each port of an engine or of one of its ranks."""
    serving, ssh = site.inventory.serving, site.head.ssh
    found = slot(site, stage)
    engine = () if serving.runtime == "kubernetes" else tuple(dict.fromkeys((found.port, *serving.slots)))
    ports = listeners(site.host(site.head.name), engine)
    address = ssh.address if ssh and ssh.address not in HERE else ""
    tried = dict.fromkeys((*engine, *(port.port for port in ranks_outside(ports)))) if address else ()
    return Network(address, ports, tuple(knock_from_here(address, port) for port in tried))


def _ranks(seen: Listeners) -> Part:
    """Ports that ranks open for each other carry pickled objects: whoever reaches one runs code."""
    name, expected = "ports of the ranks", "loopback alone"
    if not seen.engine:
        return Part(name, Outcome.NOT_APPLICABLE, "a pod's ports are closed by the cluster's NetworkPolicy")
    if seen.found.value is None:
        return check(name, None, f"could not be read: {seen.found.why_not}", expected=expected)
    outside = ranks_outside(seen)
    if outside:
        said = ", ".join(f"{each.address}:{each.port} ({each.owners[0].process})" for each in outside[:6])
        return check(name, False, said, expected=expected, measured=len(outside))
    hidden = [each for each in seen.found.value if not each.owners and not each.address.startswith(LOOPBACK)]
    own = [each for each in seen.found.value if each.port in seen.engine and each.owners]
    if hidden and not own:
        said = f"{len(hidden)} ports are open to the network whose owners this user may not see"
        return check(name, None, said, expected=expected, measured=len(hidden))
    return check(name, True, "none is open to the network", expected=expected, measured=0)


def _from_here(seen: Network) -> Part:
    name, expected = "from this machine", "no connection"
    if not seen.ports.engine:
        return Part(name, Outcome.NOT_APPLICABLE, "a pod's ports are closed by the cluster's NetworkPolicy")
    if not seen.address:
        return Part(name, Outcome.NOT_APPLICABLE, "the host is this machine: there is no outside to try it from")
    opened = [each for each in seen.knocks if each.knock is Knock.OPENED]
    said = ", ".join(f"{each.address}:{each.port} {each.knock}" for each in (opened or seen.knocks)[:6])
    holds = None if not seen.knocks else not opened
    return check(name, holds, said or "nothing was tried", expected=expected, measured=f"{len(opened)} opened")


def _parts(seen: Network) -> Iterator[Part]:
    yield from bound(seen.ports)
    yield _ranks(seen.ports)
    yield _from_here(seen)


def judge(seen: Network, inventory: Inventory) -> Finding:
    """The engine's ports and its ranks' on loopback alone, and no connection from here to any of them."""
    return finding(
        _parts(seen),
        good="the engine's ports and its ranks' are on loopback alone"
        + ("; none opens from here" * bool(seen.address)),
        expected="loopback alone, and no connection from outside",
        source=SOURCE,
        threshold="0 open ports",
        value=float(sum(each.knock is Knock.OPENED for each in seen.knocks) + len(ranks_outside(seen.ports))),
        unit="open ports",
        limit=0.0,
        sense=Sense.MOST,
    )


ASSUMPTION = Assumption(
    id="network-isolation",
    guide="K2 Thinking guide §8.1",
    states="Beside the gateway nothing of the engine can be reached over the network.",
    stages=(Stage.STAGING, Stage.LIVE),
    severity=Severity.ADVISORY,
    remedy="Bind the engine to loopback, let the firewall pass SSH and the gateway's port alone, and set VLLM_HOST_IP "
    "(several hosts: to an address of a network that nobody else is on).",
    version=1,
    observe=observe,
    judge=judge,
)
