"""The closed loop against a real HTTP server on loopback that streams at a known pace, and the client's own load."""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from serving.client import Client
from serving.closed_loop import TICK_S, Load, closed_loop, own_load, request

pytestmark = pytest.mark.timeout(180)
FIRST_S, REST_S = 0.1, 0.1
SLACK_S = 3.0  # a machine with more to do than cores


class Paced(ThreadingHTTPServer):
    """Each answer's first word after FIRST_S, the rest REST_S later; `status` and `cut` spoil every third one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[dict[str, Any]] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.spoil: dict[str, Any] = {}


def _event(delta: dict[str, Any] | None, usage: dict[str, int] | None = None) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}]
    about = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return f"data: {json.dumps({**about, 'choices': choices, 'usage': usage})}\n\n".encode()


class Handler(BaseHTTPRequestHandler):
    server: Paced

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.bodies.append(body)
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        try:
            self._stream(body)
        finally:
            with self.server.lock:
                self.server.at_once -= 1

    def _stream(self, body: dict[str, Any]) -> None:
        if status := self.server.spoil.get("status"):
            data = b'{"error": {"message": "not now"}}'
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(_event({"role": "assistant", "content": ""}))
        time.sleep(FIRST_S)
        self.wfile.write(_event({"reasoning": "so"}))
        time.sleep(REST_S)
        if self.server.spoil.get("cut"):
            self.wfile.write(b'data: {"id": "c", "choi\n\n')
            return
        count = body["max_tokens"]
        self.wfile.write(_event({"content": "x"}))
        usage = {"prompt_tokens": 9, "completion_tokens": count, "total_tokens": 9 + count}
        self.wfile.write(_event(None, usage) + b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Paced]:
    with Paced() as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield http
        http.shutdown()


@pytest.fixture
def client(server: Paced) -> Iterator[Client]:
    address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    with Client(address, model="m", api_key=None, record=lambda *_, **__: "") as made:
        request(made, 1, 0.0)  # the library's first import is no part of a time
        server.bodies.clear()
        server.most_at_once = 0
        yield made


def test_one_worker_asks_in_turn_and_each_time_is_told(server: Paced, client: Client) -> None:
    loop = closed_loop(client, [5, 6, 7], workers=1, seconds=10)
    assert [each.asked for each in loop.samples] == [5, 6, 7]
    assert all(each.whole and each.prompt_tokens == 9 and not each.said for each in loop.samples)
    for each in loop.samples:
        assert each.first_s is not None
        assert FIRST_S <= each.first_s - each.began_s < FIRST_S + SLACK_S
        assert FIRST_S + REST_S <= each.total_s < FIRST_S + REST_S + SLACK_S
    for earlier, later in zip(loop.samples, loop.samples[1:], strict=False):
        assert later.began_s >= earlier.ended_s
    assert server.most_at_once == 1
    assert loop.wall_s == loop.samples[-1].ended_s
    sent = server.bodies[0]
    assert (sent["ignore_eos"], sent["stream"], sent["temperature"]) == (True, True, 0)


def test_workers_ask_at_once_and_share_the_requests(server: Paced, client: Client) -> None:
    loop = closed_loop(client, [3] * 8, workers=4, seconds=10)
    assert len(loop.samples) == 8 and server.most_at_once == 4
    assert loop.wall_s < 0.75 * sum(each.total_s for each in loop.samples)  # in turn they would be the same


def test_no_request_begins_after_its_seconds(server: Paced, client: Client) -> None:
    loop = closed_loop(client, [3] * 50, workers=2, seconds=0.5)
    assert 2 <= len(loop.samples) < 10
    assert all(each.began_s < 0.5 + SLACK_S for each in loop.samples)


def test_a_refusal_and_a_broken_stream_are_samples_too(server: Paced, client: Client) -> None:
    server.spoil = {"status": 503}
    (refused,) = closed_loop(client, [3], workers=1, seconds=5).samples
    assert (refused.status, refused.whole, refused.tokens) == (503, False, None)
    assert "not now" in refused.said
    server.spoil = {"cut": True}
    (broken,) = closed_loop(client, [3], workers=1, seconds=5).samples
    assert not broken.whole and broken.tokens is None


def test_nobody_at_the_other_end_is_a_sample_without_a_status() -> None:
    with Client("http://127.0.0.1:9/v1", model="m", api_key=None, record=lambda *_, **__: "") as client:
        (sample,) = closed_loop(client, [3], workers=1, seconds=5).samples
    assert sample.status is None and "Connect" in sample.said and not sample.whole


def test_an_idle_client_wakes_in_time_and_uses_little() -> None:
    with own_load() as load:
        time.sleep(0.5)
    told = load()
    assert told.ticks > 5 and told.wall_s >= 0.5
    assert told.cores < 0.9


def test_a_client_that_is_held_up_is_seen() -> None:
    with own_load() as load:
        time.sleep(0.1)
        re.match(r"(a+)+$", "a" * 24 + "b")  # one call that lets no other thread run
        time.sleep(0.1)
    told = load()
    assert told.late_most_s > 0.2
    assert told.cpu_s > 0.2


def test_a_busy_client_has_no_core_left() -> None:
    with own_load() as load:
        end = time.process_time() + 0.3
        while time.process_time() < end:
            pass
    assert load().cpu_s >= 0.3


def test_no_time_is_no_idle_client() -> None:
    assert Load(0.0, 0.0, 0, 0.0, 0.0).cores == float("inf")
    assert TICK_S == 0.01
