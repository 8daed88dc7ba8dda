"""no-unauthenticated-route: one route that answers, one port that is open, fails; an unread list is UNKNOWN."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assumptions._core import Evidence, Outcome, Stage
from assumptions._serving_listeners import Listeners
from assumptions._serving_routes import KNOWN, acts, documented, every, logged
from assumptions.no_unauthenticated_route import KEYS, Answered, Doors, judge
from tasks.facts.listening_ports import ListeningPort, ListeningPortFact, PortOwner
from tasks.facts.reachable_from_outside import Attempt, Knock, Reachable, ReachableFact
from tasks.facts.reading import Reading
from tests.recorded import recordings
from tests.recorded.replay import KEY
from tests.recorded.scene import ENGINE_PORT, LIVE_PORT, Scene, set_key

INVENTORY = recordings.rehearsal()
# The paths of vLLM 0.32.0's own /openapi.json, with nothing but their methods kept.
DOCUMENT = {
    "paths": {
        **{
            path: {"get": {}}
            for path in ("/load", "/version", "/kv_event_sources", "/health", "/metrics", "/v1/models")
        },
        **{path: {"post": {}} for path in ("/tokenize", "/detokenize", "/v1/systemone", "/invocations")},
        **{path: {"post": {}} for path in ("/v1/chat/completions", "/v1/chat/completions/batch", "/v1/responses")},
        **{path: {"post": {}} for path in ("/v1/completions", "/v1/messages", "/v1/messages/count_tokens")},
        **{path: {"post": {}} for path in ("/generative_scoring", "/scale_elastic_ep", "/is_scaling_elastic_ep")},
        "/ping": {"get": {}, "post": {}},
        "/v1/responses/{response_id}": {"get": {}},
        "/v1/responses/{response_id}/cancel": {"post": {}},
    }
}
PORTS = (
    ListeningPort("127.0.0.1", ENGINE_PORT, (PortOwner(7, "python"),)),
    ListeningPort("0.0.0.0", LIVE_PORT, (PortOwner(8, "nginx"),)),
)
ROUTES = every(documented(DOCUMENT))


def knocked(port: int, *knocks: Knock) -> Reachable:
    return Reachable(port, ("127.0.0.1",), tuple(Attempt("10.0.0.7", port, knock) for knock in knocks))


CLOSED = Doors(
    own_routes=23,
    with_key=200,
    answers=tuple(Answered(route, key, 401) for route in ROUTES for key in KEYS),
    ports=Listeners((ENGINE_PORT, 22102), Reading(PORTS), Reading((knocked(ENGINE_PORT, Knock.REFUSED),))),
)


def answering(path: str, status: int, key: str = KEYS[0]) -> Doors:
    changed = tuple(replace(a, status=status) if (a.route[1], a.key) == (path, key) else a for a in CLOSED.answers)
    assert changed != CLOSED.answers
    return replace(CLOSED, answers=changed)


def test_closed_doors_pass() -> None:
    finding = judge(CLOSED, INVENTORY)
    assert (finding.outcome, finding.value) == (Outcome.PASS, 0.0)
    assert finding.because == f"{2 * len(ROUTES)} requests without a key or with a wrong one, let in: 0"


@pytest.mark.parametrize("status", [400, 403, 404])  # CLOSED answers 401 everywhere
def test_a_refusal_of_any_of_the_four_kinds_passes(status: int) -> None:
    assert judge(answering("/metrics", status), INVENTORY).outcome is Outcome.PASS


@pytest.mark.parametrize("status", [200, 204, 301, 405, 415, 422, 429, 500, 502, 503])
@pytest.mark.parametrize("key", KEYS)
def test_any_other_status_fails_and_names_the_route(status: int, key: str) -> None:
    finding = judge(answering("/invocations", status, key), INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert finding.because == f"gateway, {key}: POST /invocations -> {status}"


def ports(*found: ListeningPort) -> Doors:
    return replace(CLOSED, ports=replace(CLOSED.ports, found=Reading(found)))


@pytest.mark.parametrize("address", ["0.0.0.0", "*", "[::]", "10.0.0.7", "[fe80::1]%eth0"])
@pytest.mark.parametrize("port", CLOSED.ports.engine)
def test_an_engine_port_on_another_address_fails(address: str, port: int) -> None:
    finding = judge(ports(*PORTS, ListeningPort(address, port, ())), INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert f"{address}:{port}" in finding.because


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.53%lo", "[::1]"])
def test_loopback_in_any_spelling_passes(address: str) -> None:
    assert judge(ports(ListeningPort(address, ENGINE_PORT, ())), INVENTORY).outcome is Outcome.PASS


def test_what_was_not_seen_is_unknown() -> None:
    assert judge(ports(), INVENTORY).outcome is Outcome.UNKNOWN
    for unread in (
        replace(CLOSED.ports, found=Reading(None, "ss: not found")),
        replace(CLOSED.ports, knocked=Reading(None, "ip: not found")),
    ):
        assert judge(replace(CLOSED, ports=unread), INVENTORY).outcome is Outcome.UNKNOWN
    assert judge(replace(CLOSED, answers=()), INVENTORY).outcome is Outcome.UNKNOWN
    assert judge(replace(CLOSED, with_key=503), INVENTORY).outcome is Outcome.UNKNOWN
    assert judge(replace(CLOSED, with_key=401), INVENTORY).outcome is Outcome.UNKNOWN


def test_a_cluster_has_no_port_on_the_host() -> None:
    pods = Listeners((), Reading(PORTS), Reading(()))
    assert judge(replace(CLOSED, ports=pods), INVENTORY).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("knocks", "outcome"),
    [
        ((Knock.REFUSED, Knock.SILENT), Outcome.PASS),
        ((Knock.REFUSED, Knock.OPENED), Outcome.FAIL),
        ((), Outcome.PASS),  # no outward address: what it is bound to decides
    ],
)
def test_a_port_that_opens_at_an_outward_address_fails(knocks: tuple[Knock, ...], outcome: Outcome) -> None:
    seen = replace(CLOSED.ports, knocked=Reading((knocked(ENGINE_PORT, *knocks),)))
    finding = judge(replace(CLOSED, ports=seen), INVENTORY)
    assert finding.outcome is outcome
    assert ("10.0.0.7:22101 opened" in finding.because) == (outcome is Outcome.FAIL)


def test_ports_between_ranks_are_told() -> None:
    finding = judge(ports(*PORTS, ListeningPort("*", 29500, (PortOwner(9, "VLLM::Worker_TP"),))), INVENTORY)
    assert finding.outcome is Outcome.PASS
    assert "*:29500 (VLLM::Worker_TP)" in finding.notes[0]


def test_routes_come_from_the_document_the_log_and_what_is_known() -> None:
    told = logged(recordings.text("server.log"))
    assert ("POST", "/inference/v1/generate") in told and ("POST", "/v1/chat/completions/render") in told
    assert ("GET", "/v1/responses/x") in documented(DOCUMENT)
    whole = every(documented(DOCUMENT), told)
    assert set(KNOWN) < set(whole) and len(whole) == len(set(whole))
    assert {("POST", "/invocations"), ("POST", "/pooling"), ("GET", "/metrics"), ("POST", "/tokenize")} <= set(whole)


@pytest.mark.parametrize("document", [None, {}, [], {"paths": {}}, {"paths": []}, "x"])
def test_no_document_is_an_error(document: object) -> None:
    with pytest.raises(ValueError, match="OpenAPI"):
        documented(document)


# --- with real HTTP: an engine that documents itself, and a gateway that lets some routes through


class Door(ThreadingHTTPServer):
    """`open_paths` are answered with 200 without a key; everything else with 401, with the key with 200."""

    daemon_threads = True

    def __init__(self, open_paths: frozenset[str], document: object) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.open_paths, self.document = open_paths, document
        self.asked: list[tuple[str, str, bool]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Door
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        let_in = self.headers.get("authorization") == f"Bearer {KEY}" or self.path in self.server.open_paths
        self.server.asked.append((self.command, self.path, let_in))
        data = json.dumps(self.server.document if let_in else {"error": "no"}).encode()
        self.send_response(200 if let_in else 401)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_OPTIONS = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@contextmanager
def door(*open_paths: str, document: object = DOCUMENT) -> Iterator[Door]:
    with Door(frozenset(open_paths), document) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)


def judged(folder: Path, engine: Door, gateway: Door) -> Evidence:
    scene = Scene(folder, Stage.LIVE, engine.server_address[1])
    scene._forwards = {ENGINE_PORT: engine.server_address[1], LIVE_PORT: gateway.server_address[1]}
    listed = f"@@ tcp\nLISTEN 0 128 127.0.0.1:{ENGINE_PORT} 0.0.0.0:*\n@@ end\n"
    scene.script[ListeningPortFact().command] = listed
    ports = ReachableFact((ENGINE_PORT, 22102))
    scene.script[ports.command] = f"@@ listening\n{listed}@@ knocks\n10.0.0.7 {ENGINE_PORT} refused\n@@ done\n"
    return scene.judged("no-unauthenticated-route")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    set_key(monkeypatch)


def test_every_route_is_asked_twice_at_the_gateway(tmp_path: Path) -> None:
    with door() as engine, door() as gateway:
        record = judged(tmp_path, engine, gateway)
    assert record.finding.outcome is Outcome.PASS, record.finding.because
    refused = [(method, path) for method, path, let_in in gateway.asked if not let_in]
    whole = every(documented(DOCUMENT), logged(recordings.text("server.log")))
    assert sorted(refused) == sorted([*whole, *whole])
    assert all(path in ("/openapi.json", "/health", "/metrics") for _, path, _ in engine.asked)
    assert len(record.trail) > 2 * len(whole)


def test_an_open_route_fails_and_nothing_that_acts_is_called_then(tmp_path: Path) -> None:
    with door() as engine, door("/tokenize") as gateway:
        finding = judged(tmp_path, engine, gateway).finding
    assert finding.outcome is Outcome.FAIL
    assert "POST /tokenize -> 200" in finding.because
    assert not any(acts((method, path)) for method, path, _ in gateway.asked)


def test_an_engine_without_a_document_is_unknown(tmp_path: Path) -> None:
    with door(document={"detail": "none"}) as engine, door() as gateway:
        assert judged(tmp_path, engine, gateway).finding.outcome is Outcome.UNKNOWN
