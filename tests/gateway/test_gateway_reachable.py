"""Whether a port is reached from outside, on this machine's real sockets and addresses."""

import socket

import pytest

from tasks.facts.base import NotUnderstood, look
from tasks.facts.reachable_from_outside import Attempt, Knock, Reachable, ReachableFact, knock_from_here
from tasks.local import LocalHost


def test_loopback_is_shut_and_every_address_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as inner, socket.create_server(("0.0.0.0", 0)) as outer:
        ports = inner.getsockname()[1], outer.getsockname()[1]
        shut, opened = look(LocalHost(), ReachableFact(ports))
    if not shut.attempts:
        pytest.skip("this machine has no outward address")
    assert shut.bound == ("127.0.0.1",) and shut.loopback_only is True
    assert opened.bound == ("0.0.0.0",) and opened.loopback_only is False
    assert {attempt.knock for attempt in shut.attempts} == {Knock.REFUSED}


SAID = "@@ listening\n@@ tcp\n{tcp}@@ end\n@@ knocks\n{knocks}@@ done\n"


@pytest.mark.parametrize(
    ("tcp", "knocks", "wanted"),
    [
        ("LISTEN 0 128 127.0.0.1:8001 0.0.0.0:*\n", "10.0.0.5 8001 refused\n", True),
        ("LISTEN 0 128 [::1]:8001 [::]:*\n", "10.0.0.5 8001 silent\n", True),
        ("LISTEN 0 128 127.0.0.1:8001 0.0.0.0:*\n", "10.0.0.5 8001 opened\n", False),
        ("LISTEN 0 128 *:8001 *:*\n", "10.0.0.5 8001 refused\n", False),
        ("LISTEN 0 128 0.0.0.0:8001 0.0.0.0:*\n", "", False),
        ("LISTEN 0 128 127.0.0.1:8001 0.0.0.0:*\n", "", None),
        ("", "", None),
    ],
)
def test_the_verdict_needs_an_attempt(tcp: str, knocks: str, wanted: bool | None) -> None:
    (found,) = ReachableFact((8001,)).parse(SAID.format(tcp=tcp, knocks=knocks))
    assert found.loopback_only is wanted


def test_garbage_is_not_understood() -> None:
    for bad in (
        "",
        "@@ listening\n",
        SAID.format(tcp="", knocks="10.0.0.5 8001 maybe\n"),
        SAID.format(tcp="x\n", knocks=""),
    ):
        with pytest.raises(NotUnderstood):
            ReachableFact((8001,)).parse(bad)


def test_a_connection_from_here() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert knock_from_here("127.0.0.1", port) == Attempt("127.0.0.1", port, Knock.OPENED, from_host=False)
    assert knock_from_here("127.0.0.1", port).knock is Knock.REFUSED
    assert Reachable(port, (), ()).loopback_only is None
