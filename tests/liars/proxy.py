"""A reverse proxy on loopback that passes everything on and lies in one thing."""

from __future__ import annotations

import http.client
import json
import select
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.liars.exchange import END, EVENTS_TYPE, HELD, Asked, Event, Lie, Told

SLOWEST_S = 900.0  # an upstream that is silent for longer is given up
HOLD_S = 60.0  # a frozen stream is let go after this at the latest
GAP_S = 0.02  # a stream that is told again does not take as long as the engine took
KEPT = {"www-authenticate", "retry-after"}
DROPPED = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding"}
Remembered = dict[tuple[str, str, str, bytes, int], Told]


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the truth is."""

    port: int
    tls: ssl.SSLContext | None = None

    def connection(self) -> http.client.HTTPConnection:
        if self.tls is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=SLOWEST_S)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=SLOWEST_S, context=self.tls)


class Liar(ThreadingHTTPServer):
    """Serves one lie.  `remembered` holds truthful answers to greedy requests, to be told again without the engine.

    The n-th of several equal requests gets the answer that the n-th got: they may differ in what was cached.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, upstream: Upstream, lie: Lie, remembered: Remembered | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.lie, self.remembered = upstream, lie, remembered
        self.port: int = self.server_address[1]
        self.asked = 0
        self._seen: Counter[tuple[str, str, str, bytes]] = Counter()
        self._lock = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left is no event."""

    def key(self, asked: Asked) -> tuple[str, str, str, bytes, int] | None:
        """Under which an answer is remembered; None: this one is asked anew each time."""
        with self._lock:
            self.asked += 1
            if self.remembered is None or not asked.generates or asked.fields.get("temperature") != 0:
                return None
            known = (asked.method, asked.path, asked.headers.get("authorization", ""), asked.body)
            self._seen[known] += 1
            return (*known, self._seen[known])


@contextmanager
def lying(upstream: Upstream, lie: Lie, remembered: Remembered | None = None) -> Iterator[Liar]:
    """The liar while the context lasts."""
    with Liar(upstream, lie, remembered) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    server: Liar
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, self.rfile.read(length))
        lie = self.server.lie
        time.sleep(lie.delay_s)
        meant = lie.ask(asked)
        if isinstance(meant, Told):
            self._send(meant)
            return
        key = self.server.key(meant)
        store = self.server.remembered
        told = store.get(key) if store is not None and key is not None else None
        if told is None:
            told = self._truth(meant, live=lie.live and key is None)
            if told is None:
                return
            if store is not None and key is not None and told.status == 200:
                store[key] = told
        self._send(lie.tell(asked, told))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = _serve  # noqa: N815

    def _truth(self, asked: Asked, *, live: bool) -> Told | None:
        """What upstream says; None: a stream that has been passed on already."""
        connection = self.server.upstream.connection()
        headers = {name: value for name, value in asked.headers.items() if name not in DROPPED}
        try:
            connection.request(asked.method, asked.path, body=asked.body or None, headers=headers)
            response = connection.getresponse()
            kind = response.getheader("content-type", "") or ""
            kept = {name.lower(): value for name, value in response.getheaders()}
            if EVENTS_TYPE not in kind:
                told_headers = {name: value for name, value in kept.items() if name in KEPT}
                return Told(response.status, response.read(), kind, headers=told_headers)
            events = _arriving(response)
            if not live:
                sooner = tuple(replace(event, gap_s=min(event.gap_s, GAP_S)) for event in events)
                return Told(response.status, kind=kind, events=sooner)
            self._stream(response.status, kind, events, wait=False)
            return None
        finally:
            connection.close()

    def _send(self, told: Told | None) -> None:
        if told is None:
            self.close_connection = True
            return
        if told.events is not None:
            self._stream(told.status, told.kind, iter(told.events), wait=True)
            return
        self.send_response(told.status)
        for name, value in told.headers.items():
            self.send_header(name, value)
        if told.kind:
            self.send_header("content-type", told.kind)
        self.send_header("content-length", str(len(told.body) + (4096 if told.cut else 0)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told.body)
        if told.cut:
            self.close_connection = True

    def _stream(self, status: int, kind: str, events: Iterator[Event], *, wait: bool) -> None:
        """Server-sent events in chunks, each after its gap; a gap without end holds the connection open."""
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in events:
            if event.gap_s == HELD:
                self._hold()
                return
            if wait:
                time.sleep(event.gap_s)
            data = f"data: {event.data}\n\n".encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _hold(self) -> None:
        """Until the client leaves, or `HOLD_S`; then the connection ends without the stream's end."""
        self.wfile.flush()
        select.select([self.connection], [], [], HOLD_S)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


def _arriving(response: http.client.HTTPResponse) -> Iterator[Event]:
    """The events as they come, with the gaps between them."""
    last = time.monotonic()
    while line := response.readline():
        if line.startswith(b"data:"):
            at = time.monotonic()
            yield Event(at - last, line[5:].strip().decode())
            last = at


def stream_of(*values: object, gap_s: float = 0.0) -> tuple[Event, ...]:
    """Events of JSON values and the end, for answers that a liar makes up."""
    return (*(Event(gap_s, json.dumps(value)) for value in values), Event(gap_s, END))
