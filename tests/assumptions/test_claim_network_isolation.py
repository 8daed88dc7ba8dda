"""network-isolation: the engine's ports, its ranks', and connections from another machine."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions._serving_listeners import Listeners
from assumptions.network_isolation import Network, judge
from tasks.facts.listening_ports import ListeningPort, PortOwner
from tasks.facts.reachable_from_outside import Attempt, Knock, Reachable
from tasks.facts.reading import Reading
from tests.assumptions.served_api import REAL, outcomes

ENGINE, RANK, SSHD = PortOwner(4021, "VLLM::APIServer"), PortOwner(4022, "VLLM::Worker_TP"), PortOwner(911, "sshd")
SOCKETS = (
    ListeningPort("0.0.0.0", 22, (SSHD,)),
    ListeningPort("127.0.0.1", 8001, (ENGINE,)),
    ListeningPort("127.0.0.1", 41003, (RANK,)),
)
REFUSED = Reachable(8001, ("127.0.0.1",), (Attempt("10.0.0.5", 8001, Knock.REFUSED),))
FROM_HERE = (Attempt("10.0.0.5", 8001, Knock.REFUSED, False), Attempt("10.0.0.5", 8002, Knock.SILENT, False))
SEEN = Network("10.0.0.5", Listeners((8001, 8002), Reading(SOCKETS), Reading((REFUSED,))), FROM_HERE)
OPENED = replace(SEEN, knocks=(Attempt("10.0.0.5", 8001, Knock.OPENED, False),))
UNREAD = replace(SEEN, ports=replace(SEEN.ports, found=Reading(None, "ss: command not found")))
RECORDED_CASES = {
    "network-isolation": {
        "pass": lambda: (SEEN, "h200x8"),
        "fail": lambda: (OPENED, "h200x8"),
        "unknown": lambda: (UNREAD, "h200x8"),
    }
}


def sockets(*more: ListeningPort) -> Network:
    return replace(SEEN, ports=replace(SEEN.ports, found=Reading((*SOCKETS, *more))))


def test_loopback_alone_and_no_connection_pass() -> None:
    finding = judge(SEEN, REAL)
    assert (finding.outcome, finding.value) == (Outcome.PASS, 0.0)
    assert finding.because.endswith("none opens from here")


@pytest.mark.parametrize(
    ("part", "network", "outcome"),
    [
        ("engine's ports", sockets(ListeningPort("0.0.0.0", 8002, (ENGINE,))), Outcome.FAIL),
        ("ports of the ranks", sockets(ListeningPort("*", 5557, (RANK,))), Outcome.FAIL),
        ("ports of the ranks", UNREAD, Outcome.UNKNOWN),
        ("from this machine", OPENED, Outcome.FAIL),
        ("from this machine", replace(SEEN, knocks=()), Outcome.UNKNOWN),
    ],
)
def test_each_part_decides(part: str, network: Network, outcome: Outcome) -> None:
    finding = judge(network, REAL)
    assert outcomes(finding)[part] is finding.outcome is outcome


def test_ports_whose_owners_are_hidden_may_be_the_ranks() -> None:
    bare = tuple(replace(port, owners=()) for port in SOCKETS)
    hidden = replace(SEEN, ports=replace(SEEN.ports, found=Reading(bare)))
    assert outcomes(judge(hidden, REAL))["ports of the ranks"] is Outcome.UNKNOWN
    assert outcomes(judge(sockets(ListeningPort("0.0.0.0", 111, ())), REAL))["ports of the ranks"] is Outcome.PASS


def test_this_machine_is_no_outside() -> None:
    finding = judge(replace(SEEN, address="", knocks=()), REAL)
    assert finding.outcome is Outcome.PASS
    assert outcomes(finding)["from this machine"] is Outcome.NOT_APPLICABLE


def test_a_clusters_ports_are_its_own_matter() -> None:
    nothing = Network("10.0.0.5", Listeners((), Reading(SOCKETS), Reading(())), ())
    assert judge(nothing, REAL).outcome is Outcome.NOT_APPLICABLE
