"""The client against a real HTTP server on loopback: what comes back, what it makes of it, what it records."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from serving.client import Client, NoAnswer, Refused, Reply, ServingError
from tasks.redaction import Redactor
from tasks.trail import Trail
from tests.recorded import recordings

pytestmark = pytest.mark.timeout(180)
KEY = "test-key-0123456789"
CHAT = "/v1/chat/completions"
SSE = "text/event-stream"


@dataclass
class Server:
    """Gives `answers` in order and keeps what was asked."""

    url: str = ""
    answers: list[tuple[int, str, str]] = field(default_factory=list)
    asked: list[tuple[str, str, str | None, Any]] = field(default_factory=list)
    cut: int | None = None  # bytes after which the connection is closed

    def gives(self, body: Any, status: int = 200, kind: str = "application/json") -> None:
        self.answers.append((status, kind, body if isinstance(body, str) else json.dumps(body)))


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            told.asked.append((self.command, self.path, self.headers["authorization"], json.loads(raw or "null")))
            status, kind, text = told.answers.pop(0)
            data = text.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: told.cut])

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        told.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        yield told
        http.shutdown()


@pytest.fixture
def records() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def client(server: Server, records: list[dict[str, Any]]) -> Iterator[Client]:
    def record(kind: str, **fields: Any) -> str:
        records.append({"kind": kind, **fields})
        return f"r{len(records):05d}"

    with Client(server.url, model="tiny-k2", api_key=KEY, record=record, timeout=5) as made:
        yield made


def completion(**message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}


def test_a_recorded_chat(client: Client, server: Server, records: list[dict[str, Any]]) -> None:
    server.gives(recordings.exchange("chat")["response"])
    answer = client.expecting(200, "a greeting").chat("Say one sentence.", max_tokens=9, thinking_token_budget=3)
    assert answer == recordings.answer("chat")
    assert answer.thinking.startswith(" step1 step2") and answer.content.startswith(" I am a rehearsal")
    assert (answer.prompt_tokens, answer.completion_tokens, answer.thinking_tokens) == (23, 108, 96)
    assert server.asked == [
        (
            "POST",
            CHAT,
            f"Bearer {KEY}",
            {
                "model": "tiny-k2",
                "messages": [{"role": "user", "content": "Say one sentence."}],
                "max_tokens": 9,
                "thinking_token_budget": 3,
            },
        )
    ]
    (entry,) = records
    assert (entry["kind"], entry["status"], entry["method"]) == ("request", 200, "POST")
    assert (entry["expected_status"], entry["purpose"]) == (200, "a greeting")
    assert entry["url"] == server.url + "/chat/completions" and entry["seconds"] >= 0
    assert "rehearsal checkpoint" in entry["response"] and "Say one sentence." in entry["request"]
    assert KEY not in json.dumps(records)


@pytest.mark.parametrize("name", ["stream.sse", "stream-free.sse"])
def test_a_recorded_stream_is_put_together(
    name: str, client: Client, server: Server, records: list[dict[str, Any]]
) -> None:
    text = recordings.text(name)
    server.gives(text, kind=SSE)
    answer = client.stream("Say one sentence.", max_tokens=1024)
    assert answer.content == " I am a rehearsal checkpoint and know one sentence."
    steps = 4 if name == "stream.sse" else 96
    assert answer.thinking == "".join(f" step{n}" for n in range(1, steps + 1))
    assert (answer.thinking_tokens, answer.prompt_tokens, answer.finish) == (steps, 23, "stop")
    assert answer.chunks == text.count("data: {")
    assert server.asked[0][3]["stream_options"] == {"include_usage": True}
    request, stream = records
    assert (request["response"], stream["kind"], stream["of"]) == ("[event stream]", "stream", "r00001")
    assert json.loads(stream["response"])["content"] == answer.content


def test_a_stream_without_usage_counts_nothing(client: Client, server: Server) -> None:
    lines = [line for line in recordings.text("stream.sse").splitlines(keepends=True) if '"usage"' not in line]
    server.gives("".join(lines), kind=SSE)
    answer = client.stream("x")
    assert answer.content and (answer.prompt_tokens, answer.completion_tokens, answer.thinking_tokens) == (None,) * 3


@pytest.mark.parametrize(
    ("message", "thinking"),
    [
        ({"reasoning": "new", "content": "c"}, "new"),
        ({"reasoning_content": "old", "content": "c"}, "old"),
        ({"reasoning": "new", "reasoning_content": "old", "content": "c"}, "new"),
        ({"reasoning": None, "reasoning_content": "old", "content": "c"}, "old"),
        ({"content": "c"}, ""),
    ],
)
def test_thinking_under_either_name(message: dict[str, Any], thinking: str, client: Client, server: Server) -> None:
    server.gives(completion(**message))
    answer = client.chat("x")
    assert (answer.thinking, answer.content) == (thinking, "c")


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_streamed_thinking_under_either_name(name: str, client: Client, server: Server) -> None:
    server.gives(recordings.text("stream.sse").replace('"reasoning":', f'"{name}":'), kind=SSE)
    assert client.stream("x").thinking == " step1 step2 step3 step4"


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"completion_tokens_details": None, "prompt_tokens_details": None}],
    ids=["no usage", "empty", "no details"],
)
def test_absent_usage_is_none_and_never_zero(usage: Any, client: Client, server: Server) -> None:
    server.gives({**completion(content="c"), "usage": usage})
    answer = client.chat("x")
    assert (answer.prompt_tokens, answer.completion_tokens, answer.thinking_tokens, answer.cached_tokens) == (None,) * 4


def test_cached_tokens_and_tool_calls(client: Client, server: Server) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 1,
        "total_tokens": 6,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    server.gives({**completion(content=None, tool_calls=[call]), "usage": usage})
    answer = client.chat("x", tools=[], seed=1)
    assert (answer.content, answer.cached_tokens) == ("", 4)
    assert answer.tool_calls[0]["function"] == {"name": "f", "arguments": "{}"}


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
@pytest.mark.parametrize("ask", ["chat", "stream"])
def test_an_error_status_is_refused_once_and_recorded(
    status: int, ask: str, client: Client, server: Server, records: list[dict[str, Any]]
) -> None:
    server.gives({"error": {"message": "what it says", "code": status}}, status)
    with pytest.raises(Refused) as refused:
        getattr(client.expecting(status, "a refusal"), ask)("x")
    assert refused.value.status == status and "what it says" in refused.value.message
    assert len(server.asked) == 1, "it must not try again behind our back"
    assert [(e["status"], e["expected_status"]) for e in records] == [(status, status)]


@pytest.mark.parametrize(
    "body",
    [{}, {"choices": []}, {"choices": None}, {"choices": [{}]}, [], "text", "null"],
)
def test_an_answer_of_another_shape_is_no_answer(body: Any, client: Client, server: Server) -> None:
    server.gives(body)
    with pytest.raises(NoAnswer):
        client.chat("x")


def test_a_page_is_no_answer(client: Client, server: Server) -> None:
    server.gives("<html>a proxy</html>", kind="text/html")
    with pytest.raises(NoAnswer):
        client.chat("x")


def nobody(record: Any, timeout: float = 2) -> Client:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Client(f"http://127.0.0.1:{port}/v1", model="m", api_key=None, record=record, timeout=timeout)


@pytest.mark.parametrize("ask", ["chat", "stream", "call", "post"])
def test_a_connection_that_is_refused_is_on_the_record(ask: str, tmp_path: Path) -> None:
    trail = Trail(tmp_path / "raw", Redactor())
    arguments: tuple[Any, ...] = {"call": ("GET", "/health"), "post": ("/completions", {})}.get(ask, ("x",))
    with nobody(trail.record) as client, pytest.raises(NoAnswer), trail.collecting() as ids:
        getattr(client.expecting(200, "is it there"), ask)(*arguments)
    (entry,) = trail.read()
    assert ids == [entry["id"]]
    assert (entry["purpose"], entry["expected_status"]) == ("is it there", 200)
    assert "status" not in entry and "Connect" in entry["error"]


@pytest.mark.parametrize("ask", ["chat", "call"])
def test_a_body_that_breaks_off_is_no_answer_and_recorded(
    ask: str, client: Client, server: Server, records: list[dict[str, Any]]
) -> None:
    server.cut = 20
    server.gives(completion(content="a long answer"))
    with pytest.raises(NoAnswer):
        client.chat("x") if ask == "chat" else client.call("GET", "/v1/models")
    assert len(records) == 1 and records[0]["error"]


def test_a_stream_that_breaks_off_is_no_answer(client: Client, server: Server, records: list[dict[str, Any]]) -> None:
    server.cut = 900
    server.gives(recordings.text("stream.sse"), kind=SSE)
    with pytest.raises(NoAnswer):
        client.stream("x")
    assert [e["kind"] for e in records] == ["request"], "no half answer is recorded as one"


def test_a_server_that_says_nothing_is_given_up(records: list[dict[str, Any]]) -> None:
    def record(kind: str, **fields: Any) -> str:
        records.append(fields)
        return "r1"

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with Client(url, model="m", api_key=None, record=record, timeout=0.2) as client, pytest.raises(NoAnswer):
            client.call("GET", "/health", timeout=0.2)
    assert "Timeout" in records[0]["error"] and records[0]["seconds"] < 20


def test_both_errors_are_one_family() -> None:
    assert issubclass(Refused, ServingError) and issubclass(NoAnswer, ServingError)


@pytest.mark.parametrize(("key", "sent"), [(True, f"Bearer {KEY}"), (False, None), ("other", "Bearer other")])
def test_a_plain_call_with_without_and_with_another_key(
    key: bool | str, sent: str | None, client: Client, server: Server
) -> None:
    server.gives("", kind="text/plain")
    reply = client.call("GET", "/health", key=key)
    assert (reply.status, reply.body, reply.text, reply.record) == (200, None, "", "r00001")
    assert server.asked == [("GET", "/health", sent, None)]


def test_a_post_names_the_model_and_an_error_status_is_a_reply(client: Client, server: Server) -> None:
    server.gives({"error": {"message": "too long"}}, 400)
    reply = client.post("/completions", {"prompt": [1]})
    assert (reply.status, reply.message) == (400, "too long")
    assert server.asked[0][1:] == ("/v1/completions", f"Bearer {KEY}", {"model": "tiny-k2", "prompt": [1]})


def test_what_is_expected_holds_for_one_call_alone(
    client: Client, server: Server, records: list[dict[str, Any]]
) -> None:
    for _ in range(2):
        server.gives({})
    client.expecting(200, "first").call("GET", "/a")
    client.call("GET", "/b")
    assert [(e["expected_status"], e["purpose"]) for e in records] == [(200, "first"), (None, "")]


def test_a_long_request_is_cut_in_the_record(client: Client, server: Server, records: list[dict[str, Any]]) -> None:
    server.gives({})
    client.post("/completions", {"prompt": list(range(50_000))})
    assert len(records[0]["request"]) == 4000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "m"}}, "m"),
        ({"error": {"code": 1}}, "{'code': 1}"),
        ({"error": "Unauthorized"}, "Unauthorized"),
        (None, "text"),
        ([], "text"),
        ({"other": 1}, "text"),
    ],
)
def test_the_servers_own_message(body: Any, message: str) -> None:
    assert Reply(400, body, "text", 0.0, "r1").message == message


def test_recorded_refusals_have_their_message() -> None:
    assert recordings.reply("no key").message == "Unauthorized"
    assert recordings.reply("unknown model").message == "The model `no-such` does not exist. Valid aliases: tiny-k2."
