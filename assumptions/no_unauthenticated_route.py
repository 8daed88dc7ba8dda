"""Claim: nobody gets anything from the server without a key: not through the gateway, and not past it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Sense, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import NothingServed, Served, engine_log, served
from assumptions._serving_listeners import Listeners, bound, listeners, ranks_outside
from assumptions._serving_routes import Route, acts, documented, every, logged
from inventories.schema import Inventory
from tasks.site import Site

REFUSED = frozenset({400, 401, 403, 404})
KEYS = ("no key", "a wrong key")
SOURCE = "400, 401, 403 and 404 let nobody in; any other status may be the engine's own answer"


@dataclass(frozen=True, slots=True)
class Answered:
    """What the gateway gave to one request."""

    route: Route
    key: str
    status: int


@dataclass(frozen=True, slots=True)
class Doors:
    """How many routes the engine itself documents and logs, each answer at the gateway, and who listens on the host."""

    own_routes: int
    with_key: int  # status of one listed route with the right key: shows that the gateway is there and serves
    answers: tuple[Answered, ...]
    ports: Listeners


def observe(site: Site, stage: Stage) -> Doors:
    """Read the engine's routes on its own port, call each at the gateway without its key, list the host's listeners."""
    serving = site.inventory.serving
    with served(site, stage) as at:
        own = _own_routes(site, at)
        right = at.client.expecting(200, "the right key is let in").call("GET", "/v1/models")
        wrong = secrets.token_urlsafe(24)
        answers = tuple(answer for key in (False, wrong) for answer in _answers(at, every(own), key))
    ports = () if serving.runtime == "kubernetes" else tuple(dict.fromkeys((at.slot.port, *serving.slots)))
    return Doors(len(set(own)), right.status, answers, listeners(site.host(site.head.name), ports))


def _own_routes(site: Site, at: Served) -> list[Route]:
    """What the engine says of itself; without its document the list of routes would be our guess alone."""
    with site.client(at.slot.port, timeout=30) as engine:
        reply = engine.expecting(200, "the engine's own routes").call("GET", "/openapi.json", key=True, timeout=30)
    if reply.status != 200:
        raise NothingServed(
            f"the engine's own port answers /openapi.json with {reply.status}, so its routes are not known",
            where=f"{site.head.name}: port {at.slot.port}",
            fix="judge again once the engine serves its document",
        )
    return [*documented(reply.body), *logged(engine_log(site, Stage.LIVE).text)]


def _answers(at: Served, routes: tuple[Route, ...], key: str | bool) -> Iterator[Answered]:
    """The routes that could change the engine come last, and not at all where another one was let in."""
    let_in = False
    for route in sorted(routes, key=acts):
        if acts(route) and let_in:
            return
        answer = _ask(at, route, key)
        let_in = let_in or answer.status not in REFUSED
        yield answer


def _ask(at: Served, route: Route, key: str | bool) -> Answered:
    method, path = route
    body = None if method in ("GET", "OPTIONS") else {"model": at.client.model, "prompt": "x", "max_tokens": 1}
    name = KEYS[bool(key)]
    asking = at.client.expecting(401, f"{name}: {method} {path}")
    return Answered(route, name, asking.call(method, path, json_body=body, key=key, timeout=30).status)


def _gateway(seen: Doors) -> Iterator[Part]:
    yield check(
        "gateway serves",
        True if seen.with_key == 200 else None,
        f"/v1/models with the right key answers {seen.with_key}",
        expected=200,
        measured=seen.with_key,
    )
    for key in KEYS:
        asked = [each for each in seen.answers if each.key == key]
        let_in = [each for each in asked if each.status not in REFUSED]
        named = ", ".join(f"{' '.join(each.route)} -> {each.status}" for each in let_in[:6])
        said = f"{named}" + (f" and {len(let_in) - 6} more" if len(let_in) > 6 else "")
        good = f"{len(asked)} routes asked, {seen.own_routes} of them the engine's own; none let in"
        holds = None if not asked else not let_in
        yield check(f"gateway, {key}", holds, said or good, expected="400, 401, 403 or 404", measured=len(let_in))


def judge(seen: Doors, inventory: Inventory) -> Finding:
    """No route may answer anything but a refusal to a request without the key, and no engine port may be open."""
    let_in = sum(each.status not in REFUSED for each in seen.answers)
    open_ranks = ranks_outside(seen.ports)
    listed = ", ".join(f"{port.address}:{port.port} ({port.owners[0].process})" for port in open_ranks[:6])
    note = f"Ranks of the engine listen on more than loopback, for each other: {listed}. Close them by the firewall."
    return finding(
        (*_gateway(seen), *bound(seen.ports)),
        good=f"{len(seen.answers)} requests without a key or with a wrong one, let in: 0",
        expected="every request without a key refused; the engine's ports on loopback alone",
        source=SOURCE,
        threshold="0 let in",
        value=float(let_in),
        unit="requests let in",
        limit=0.0,
        sense=Sense.MOST,
        notes=(note,) if open_ranks else (),
    )


ASSUMPTION = Assumption(
    id="no-unauthenticated-route",
    guide="K2 Thinking guide §8.1",
    states="Without a valid API key nobody gets an answer, on any route, through the gateway or past it.",
    stages=(Stage.LIVE,),
    severity=Severity.BLOCKING,
    remedy="Close the named route in serving.gateway.routes or the gateway's configuration (deny by default), bind the "
    "engine to the host's loopback, and let the firewall pass the gateway's port alone.",
    version=1,
    observe=observe,
    judge=judge,
)
