"""What an answer says of the engine, and what its counters say of its work."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.remote import watch_host
from tasks.remote import watch_rules as rules
from tasks.remote.watch_probe import Http, judged, probe, tokens_counted

VLLM = """\
# HELP vllm:generation_tokens_total Number of generation tokens processed.
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="tiny-k2"} 27.0
vllm:prompt_tokens_total{engine="0",model_name="tiny-k2"} 40.0
vllm:iteration_tokens_total_sum{engine="0",model_name="tiny-k2"} 67.0
vllm:iteration_tokens_total_count{engine="0",model_name="tiny-k2"} 30.0
vllm:iteration_tokens_total_bucket{engine="0",le="1.0",model_name="tiny-k2"} 1000.0
vllm:request_params_max_tokens_sum{engine="0",model_name="tiny-k2"} 5000.0
vllm:request_prompt_tokens_sum{engine="0",model_name="tiny-k2"} 5000.0
vllm:generation_tokens_created{engine="0",model_name="tiny-k2"} 1.7e+09
"""


def body(**choice: Any) -> str:
    usage = choice.pop("usage", {"completion_tokens": 1})
    return json.dumps({"choices": [{"text": " a", "finish_reason": "length", **choice}], "usage": usage})


ANSWERS = [
    (200, body(), rules.ANSWERED),
    (200, body(text=""), rules.ANSWERED),  # half of a UTF-8 character: one token all the same
    (200, body(text="", usage={"completion_tokens": 0}), rules.GARBAGE),
    (200, body(text="", usage=None), rules.GARBAGE),
    (200, body(usage=None), rules.ANSWERED),
    (200, body(logprobs={"token_logprobs": [-0.5]}), rules.ANSWERED),
    (200, body(logprobs={"token_logprobs": [float("nan")]}), rules.GARBAGE),
    (200, body(logprobs={"token_logprobs": [float("-inf")]}), rules.GARBAGE),
    (200, body(logprobs={"token_logprobs": [None]}), rules.ANSWERED),
    (200, '{"choices": []}', rules.GARBAGE),
    (200, "[]", rules.GARBAGE),
    (200, "null", rules.GARBAGE),
    (200, "<html>", rules.GARBAGE),
    (200, '{"choices": [{"text": "a", "logprobs": 3}]}', rules.GARBAGE),
    (400, "bad", rules.UNCLEAR),
    (401, "key", rules.UNCLEAR),
    (404, "model", rules.UNCLEAR),
    (429, "later", rules.UNCLEAR),
    (500, "dead", rules.SLOW),
    (503, "dead", rules.SLOW),
    (302, "", rules.SLOW),
]


@pytest.mark.parametrize(("status", "text", "kind"), ANSWERS)
def test_an_answer_is_judged(status: int, text: str, kind: str) -> None:
    assert judged(status, text).kind == kind


def test_only_counters_that_the_engine_itself_moves_are_counted() -> None:
    assert tokens_counted(VLLM) == 27 + 40 + 67 + 30
    assert tokens_counted("llamacpp:prompt_tokens_total 3\nllamacpp:tokens_predicted_total 4\n") == 7
    assert tokens_counted("# nothing\nprocess_cpu_seconds_total 9\nvllm:generation_tokens_total{} x\n") is None


def listening(talk: Any) -> int:
    """The port of a server that talks so to each connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def trickle(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b" ")
            time.sleep(0.05)


def test_a_port_that_takes_connections_and_says_nothing_is_slow_within_the_deadline() -> None:
    began = time.monotonic()
    assert probe(Http(listening(lambda c: time.sleep(30)), ""), 1, {}).kind == rules.SLOW
    assert time.monotonic() - began < 15  # the other end would keep it for 30


def test_an_answer_that_trickles_is_slow_within_the_deadline() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        Http(listening(trickle), "").call("GET", "/", None, 1)
    assert time.monotonic() - began < 25  # to its end it takes 50


def test_nobody_there_is_refused_and_a_list_of_models_that_is_none_is_garbage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert probe(Http(port, ""), 1, {}).kind == rules.REFUSED
    hello = b"HTTP/1.0 200 OK\r\n\r\nhello"
    port = listening(lambda c: (c.recv(4096), c.sendall(hello), c.close()))
    assert probe(Http(port, ""), 2, {}).kind == rules.GARBAGE


def test_a_lease_counts_while_it_is_of_this_boot_and_young(tmp_path: Path) -> None:
    assert watch_host.lease_holder(tmp_path, "b", 700) == ""
    (tmp_path / "lease").write_text("run=r1\nowner=a@b\nboot=b\nrenewed=101\n")
    assert watch_host.lease_holder(tmp_path, "b", 700) == "r1"
    assert watch_host.lease_holder(tmp_path, "b", 702) == ""
    assert watch_host.lease_holder(tmp_path, "another", 700) == ""


def test_events_outlive_a_torn_line_and_do_not_grow_for_ever(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(b'{"at": "to')
    watch_host.append_event(file, {"n": 1})
    assert file.read_text().splitlines()[1:] == ['{"n": 1}']
    file.write_bytes(b"x" * watch_host.EVENTS_BYTES + b"\n\n")
    watch_host.append_event(file, {"n": 2})
    assert file.read_text() == '{"n": 2}\n' and (tmp_path / "events.1").stat().st_size > watch_host.EVENTS_BYTES


def test_the_key_is_read_with_and_without_quotes(tmp_path: Path) -> None:
    file = tmp_path / "env"
    assert watch_host.secret(file, "KEY") == ""
    file.write_text("OTHER=1\nKEY='a=b'\n")
    assert watch_host.secret(file, "KEY") == "a=b"


def test_the_listener_is_found_and_its_session_with_states() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert watch_host.listener(port) == os.getpid()
        assert any(line.startswith(f"{os.getpid()} ") for line in watch_host.processes(port))
    assert watch_host.listener(port) is None and watch_host.processes(port) == []
