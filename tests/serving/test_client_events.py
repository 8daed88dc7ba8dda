"""A stream as it came: every line with its time, what was no stream, and what broke off."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from serving.client import Client, Events, NoAnswer

pytestmark = pytest.mark.timeout(180)
HEAD = "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n"
SSE = "text/event-stream"


@contextmanager
def serving(
    *pieces: str, status: str = "200 OK", kind: str = SSE, pause: float = 0.0, hang: bool = False
) -> Iterator[int]:
    """A server of one answer in pieces; `hang` keeps the connection open behind the last one."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                request = b""
                while not request.endswith(b"}"):
                    request += connection.recv(65_536)
                connection.sendall(HEAD.format(status=status, kind=kind).encode())
                for piece in pieces:
                    connection.sendall(piece.encode())
                    time.sleep(pause)
                if hang:
                    over.wait(10)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join(5)


@contextmanager
def client(port: int, records: list[dict[str, Any]], timeout: float = 5.0) -> Iterator[Client]:
    def record(kind: str, **fields: Any) -> str:
        records.append({"kind": kind, **fields})
        return f"r{len(records)}"

    url = f"http://127.0.0.1:{port}/v1"
    with Client(url, model="tiny-k2", api_key="test-key-0123456789", record=record, timeout=timeout) as made:
        yield made


def asked(*pieces: str, **how: Any) -> tuple[Events, list[dict[str, Any]]]:
    records: list[dict[str, Any]] = []
    timeout = how.pop("timeout", 5.0)
    with serving(*pieces, **how) as port, client(port, records, timeout) as at:
        return at.expecting(200, "a stream").events("/chat/completions", {"messages": []}), records


def test_each_line_with_its_time() -> None:
    seen, records = asked('data: {"a": 1}\n\n', ": ping\n\n", "data: [DONE]\n\n", pause=0.3)
    assert [event.data for event in seen.events] == ['{"a": 1}', "[DONE]"]
    assert (seen.status, seen.broke, seen.reply) == (200, "", None)
    first, last = (event.seconds for event in seen.events)
    assert 0 < first < last <= seen.seconds and last - first >= 0.05
    request, told = records
    assert json.loads(request["request"]) == {"model": "tiny-k2", "messages": [], "stream": True}
    assert (request["purpose"], request["response"]) == ("a stream", "[event stream]")
    assert (told["kind"], told["of"], told["response"]) == ("stream", "r1", '{"a": 1}\n[DONE]')


def test_an_answer_that_is_no_stream_is_kept_whole() -> None:
    seen, records = asked('{"error": {"message": "no"}}', status="404 Not Found", kind="application/json")
    assert (seen.status, seen.events) == (404, ()) and seen.reply is not None
    assert seen.reply.message == "no" and len(records) == 1


def test_a_frozen_stream_ends_by_the_clients_own_deadline() -> None:
    seen, records = asked('data: {"choices": []}\n\n', hang=True, timeout=2)
    assert seen.broke.startswith("ReadTimeout") and len(seen.events) == 1
    assert 2 <= seen.seconds < 30
    assert records[1]["broke"] == seen.broke


def test_without_a_status_there_is_no_answer() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        client(silent.getsockname()[1], [], 0.2) as at,
        pytest.raises(NoAnswer),
    ):
        at.events("/chat/completions", {})
