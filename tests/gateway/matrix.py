"""Every route by every trick, against real nginx: what it answered, and what the engine behind it saw."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

from tests.gateway import figures
from tests.gateway.engine import Engine
from tests.gateway.scene import OWN_KEY, Gateway, gateway
from tests.gateway.tricks import FRAMINGS, NO_KEYS, PLAIN, SPELLINGS, WRONG, Asked

ALLOWED = {400, 401, 403, 404}
SILENT = "closed without an answer"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@dataclass(frozen=True)
class Trial:
    """One attempt: what was tried on which route, the bytes, and whether TLS carries them."""

    trick: str
    route: str
    sent: bytes
    tls: bool = True


@dataclass(frozen=True)
class Outcome:
    """Statuses of every answer on the connection; none is a connection that was closed without one."""

    trial: Trial
    statuses: tuple[int, ...]


@dataclass(frozen=True)
class Measured:
    """The figures of one run."""

    routes: int
    tricks: int
    tried: int
    let_in: int
    reached: int
    statuses: tuple[tuple[str, int], ...]
    keyed_tried: int
    keyed_strange: int

    @property
    def text(self) -> str:
        told = ", ".join(f"{count:,} × {status}" for status, count in self.statuses)
        return (
            f"| measured against nginx on the test machine | |\n|---|---|\n"
            f"| methods × routes ({len(figures.recorded())} routes of vLLM 0.32's own document, "
            f"{len(figures.KNOWN_OPEN)} known ones) | {self.routes} |\n"
            f"| ways to ask without a valid key | {self.tricks} |\n"
            f"| attempts | {self.tried:,} |\n"
            f"| answered with | {told} |\n"
            f"| let in | **{self.let_in}** |\n"
            f"| connections that the engine saw | **{self.reached}** |\n"
            f"| attempts with a valid key, by the same ways | {self.keyed_tried:,} |\n"
            f"| requests of those that reached the engine and were not an open route, spelled as listed | "
            f"**{self.keyed_strange}** |"
        )


def exchange(port: int, sent: bytes, trust: ssl.SSLContext | None, *, wait_s: float = 3.0) -> bytes:
    """Send raw bytes, and give back all that came until the other side closed or said nothing for `wait_s`."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        plain.settimeout(wait_s)
        wire = trust.wrap_socket(plain, server_hostname="127.0.0.1") if trust else plain
        try:
            wire.sendall(sent)
            if not trust:
                plain.shutdown(socket.SHUT_WR)
            while piece := wire.recv(65536):
                got += piece
                if _finished(got):
                    break
        except (TimeoutError, OSError):
            pass
        finally:
            wire.close()
    return got


def _finished(got: bytes) -> bool:
    """Whether one answer is whole and says that the connection ends."""
    head, found, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", head)
    return bool(found and b"\r\nConnection: close" in head and length and len(body) >= int(length[1]))


def statuses(got: bytes) -> tuple[int, ...]:
    """The status of each answer; HTTP/0.9 has none, and its JSON error tells."""
    found = tuple(int(status) for status in _STATUS.findall(got))
    if not found and got:
        return (401,) if b'"invalid_api_key"' in got else (400,) if b'"bad_request"' in got else (999,)
    return found


def without_key() -> Iterator[Trial]:
    """Every route, by every trick with no key, by every kind of wrong key, and by plain HTTP at the TLS port."""
    for path, methods in figures.routes().items():
        for method in methods:
            route = f"{method} {path}"
            for name, auth in NO_KEYS.items():
                yield Trial(name, route, PLAIN["as it is"](Asked(method, path, auth)))
            yield Trial("key in the query", route, Asked(method, path).request(f"{path}?api_key={WRONG}&key={OWN_KEY}"))
            yield Trial("plain HTTP", route, Asked(method, path).request(), tls=False)
            yield Trial("plain HTTP, valid key", route, _keyed(method, path).request(), tls=False)
            for name, trick in (SPELLINGS | FRAMINGS).items():
                yield Trial(name, route, trick(Asked(method, path)))


def with_key() -> Iterator[Trial]:
    """The same routes and tricks, by somebody who has a key."""
    for path, methods in figures.routes().items():
        for method in methods:
            for name, trick in (PLAIN | SPELLINGS | FRAMINGS).items():
                yield Trial(name, f"{method} {path}", trick(_keyed(method, path)))


def _keyed(method: str, path: str) -> Asked:
    return Asked(method, path, (f"Authorization: Bearer {OWN_KEY}",))


def run(trials: Iterator[Trial], at: Gateway) -> list[Outcome]:
    """All of them, some at a time."""

    def one(trial: Trial) -> Outcome:
        return Outcome(trial, statuses(exchange(at.port, trial.sent, at.trust if trial.tls else None)))

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(one, trials))


def let_in(outcomes: list[Outcome]) -> list[Outcome]:
    """Attempts that were answered by anything but a refusal."""
    return [outcome for outcome in outcomes if not set(outcome.statuses) <= ALLOWED]


def strange(engine: Engine) -> list[str]:
    """What reached the engine and is not an open route, spelled as listed, with the engine's key alone."""
    from tests.gateway.scene import ENGINE_KEY, ROUTES

    opened = {f"{method} {path}" for path, methods in ROUTES for method in methods}
    expected = {"host", "connection", "content-type", "content-length", "accept", "x-request-id", "authorization"}
    found = []
    for arrived in engine.arrived:
        headers = dict(arrived.headers)
        good = arrived.route in opened and headers["authorization"] == f"Bearer {ENGINE_KEY}"
        if not good or not set(headers) <= expected or OWN_KEY in json.dumps(arrived.headers):
            found.append(f"{arrived.line} {arrived.headers}")
    return found


@cache
def measured() -> Measured:
    """Both rounds on one gateway; raises AssertionError where something was let in, with what it was."""
    with Engine().running() as engine, gateway(engine.port) as at:
        refused = run(without_key(), at)
        entered, reached = let_in(refused), engine.connections
        assert not entered and not reached, [(o.trial.trick, o.trial.route, o.statuses) for o in entered[:20]]
        keyed = run(with_key(), at)
        odd = strange(engine)
        assert not odd, odd[:10]
        assert engine.arrived, "with a key nothing arrived: the trial proves nothing"
        assert OWN_KEY not in at.log() and WRONG not in at.log()
    counts = Counter(str(status) for outcome in refused for status in outcome.statuses or (SILENT,))
    return Measured(
        routes=len({outcome.trial.route for outcome in refused}),
        tricks=len({outcome.trial.trick for outcome in refused}),
        tried=len(refused),
        let_in=len(entered),
        reached=reached,
        statuses=tuple(sorted(counts.items())),
        keyed_tried=len(keyed),
        keyed_strange=len(odd),
    )
