"""Each liar really lies, and passes everything else on: in front of a small honest endpoint."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions._registry import claim, claims
from serving.client import Answer, Client, NoAnswer, Refused
from tasks.fake import FakeHost
from tests.liars import catalogue, host, streams
from tests.liars.checkpoint import SPOILT, Elsewhere
from tests.liars.exchange import HONEST, Asked, Lie, Told, both
from tests.liars.figures import CHANGED
from tests.liars.grounds import WEIGHTS
from tests.liars.page import PAGE, page
from tests.liars.proxy import Remembered, Upstream, lying, stream_of
from tests.liars.scripted import lies as scripted_lies
from tests.recorded import recordings

KEY, MODEL, WINDOW = "the-right-key", "tiny", 1024
BUDGET = "thinking_token_budget"
USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 12,
    "total_tokens": 21,
    "completion_tokens_details": {"reasoning_tokens": 6},
}
LIES = catalogue.lies(lambda: KEY, MODEL, WINDOW)
CALL = {"id": "0", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo", "days": 2}'}}


class Honest(ThreadingHTTPServer):
    """Says what it was asked: the answer's text is the request's fields, so that a test sees what came through."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port: int = self.server_address[1]
        self.asked: list[Asked] = []

    def answer(self, asked: Asked) -> Told:
        self.asked.append(asked)
        if asked.path == "/health":
            return Told(200)
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return Told.of(401, {"error": {"message": "no", "type": "auth", "param": None, "code": 401}})
        if asked.path == "/v1/models":
            return Told.of(200, {"object": "list", "data": [{"id": MODEL}]})
        if asked.path == "/tokenize":
            return Told.of(200, {"count": 2, "tokens": [7, 8]})
        if asked.path == "/metrics":
            return Told(200, b"vllm:num_requests_running 0.0\n", "text/plain")
        return self._completion(asked) if asked.generates else Told.of(404, {"detail": "Not Found"})

    def _completion(self, asked: Asked) -> Told:
        fields = asked.fields
        if fields.get("model") != MODEL:
            return Told.of(404, {"error": {"message": "no such model", "type": "x", "param": "model", "code": 404}})
        message: dict[str, Any] = {
            "role": "assistant",
            "reasoning": "I think so",
            "content": f"heard {json.dumps(fields)}",
        }
        if fields.get("tools"):
            message["tool_calls"] = [CALL, CALL]
        top = [{"token": "a", "logprob": -0.1}, {"token": "b", "logprob": -3.0}]
        logprobs = {"content": [{"token": "a", "logprob": -0.1, "top_logprobs": top}]}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": logprobs}
        if not fields.get("stream"):
            return Told.of(200, {"id": "1", "object": "chat.completion", "choices": [choice], "usage": USAGE})
        deltas = [{"reasoning": "I think "}, {"reasoning": "so"}, {"content": "heard "}, {"content": "you"}]
        chunks = [{"id": "1", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        end = {"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        return Told(
            200, kind="text/event-stream", events=stream_of(*chunks, end, {"id": "1", "choices": [], "usage": USAGE})
        )


class _Handler(BaseHTTPRequestHandler):
    server: Honest
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = self.server.answer(Asked(self.command, self.path, headers, body))
        events = told.events or ()
        data = "".join(f"data: {event.data}\n\n" for event in events).encode() or told.body
        self.send_response(told.status)
        self.send_header("content-type", told.kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def honest() -> Iterator[Honest]:
    with Honest() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


class Through:
    """A client that talks through one lie."""

    def __init__(self, honest: Honest, lie: Lie | str, remembered: Remembered | None = None) -> None:
        found = LIES[lie] if isinstance(lie, str) else lie
        assert isinstance(found, Lie)
        self._lying = lying(Upstream(honest.port), found, remembered)

    def __enter__(self) -> Client:
        liar = self._lying.__enter__()
        url = f"http://127.0.0.1:{liar.port}/v1"
        self.client = Client(url, model=MODEL, api_key=KEY, record=lambda *_, **__: "", timeout=5)
        return self.client

    def __exit__(self, *error: Any) -> None:
        self.client.__exit__(None, None, None)
        self._lying.__exit__(*error)


def heard(answer: Answer) -> dict[str, Any]:
    """What the honest endpoint was asked, by its own answer."""
    return json.loads(answer.content.removeprefix("heard "))  # type: ignore[no-any-return]


TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


def test_without_a_lie_everything_comes_through(honest: Honest) -> None:
    with Through(honest, HONEST) as client:
        answer = client.chat("Hello", max_tokens=5, temperature=0)
        assert heard(answer)["max_tokens"] == 5 and answer.thinking == "I think so"
        assert (answer.prompt_tokens, answer.completion_tokens, answer.thinking_tokens) == (9, 12, 6)
        stream = client.stream("Hello")
        assert (stream.thinking, stream.content, stream.finish, stream.chunks) == ("I think so", "heard you", "stop", 6)
        assert client.call("GET", "/v1/models", key=False).status == 401
        assert client.call("GET", "/health").text == ""
        events = client.events("/chat/completions", {"messages": []})
        assert events.events[-1].data == "[DONE]" and not events.broke


SENT = {
    "thinking_token_budget": 16,
    "max_tokens": 40,
    "stop": ["x"],
    "seed": 3,
    "response_format": {"type": "json_object"},
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "tools": TOOLS,
}


@pytest.mark.parametrize(
    ("lie", "arrives"),
    [
        ("budget-ignored", {BUDGET: None}),
        ("budget-times-4", {BUDGET: 64}),
        ("max-tokens-ignored", {"max_tokens": None}),
        ("stop-ignored", {"stop": None}),
        ("seed-ignored", {"seed": None}),
        ("one-seed", {"seed": 1234}),
        ("sampled-hot", {"temperature": 1.0, "seed": None}),
        ("schema-ignored", {"response_format": None}),
        ("tools-ignored", {"tools": None, "tool_choice": None, "parallel_tool_calls": None}),
        ("tool-choice-ignored", {"tool_choice": "auto"}),
        ("tool-choice-lost", {"tool_choice": None}),
        ("parallel-ignored", {"parallel_tool_calls": None}),
    ],
)
def test_a_field_is_lost_and_the_others_arrive(lie: str, arrives: dict[str, Any], honest: Honest) -> None:
    with Through(honest, lie) as client:
        client.post("/chat/completions", {"messages": [], "temperature": 0, **SENT})
    came = honest.asked[-1].fields
    wanted = {**SENT, "temperature": 0, **arrives}
    assert {name: came.get(name) for name in wanted} == wanted


def test_a_misplaced_budget_is_hoisted_and_words_are_dropped(honest: Honest) -> None:
    with Through(honest, "budget-anywhere") as client:
        client.post("/chat/completions", {"messages": [], "chat_template_kwargs": {BUDGET: 16}})
    assert honest.asked[-1].fields[BUDGET] == 16
    with Through(honest, "budget-of-words") as client:
        client.post("/chat/completions", {"messages": [], BUDGET: "x"})
    assert BUDGET not in honest.asked[-1].fields
    with Through(honest, "large-budget-refused") as client:
        assert client.post("/chat/completions", {"messages": [], BUDGET: 8193}).status == 400
        assert client.post("/chat/completions", {"messages": [], BUDGET: 8192}).status == 200


def test_a_long_prompt_is_cut(honest: Honest) -> None:
    ids = list(range(1000))
    with Through(honest, "context-cut") as client:
        client.post("/completions", {"prompt": ids})
        assert honest.asked[-1].fields["prompt"] == ids[500:]
        client.post("/completions", {"prompt": ids[:100]})
        assert honest.asked[-1].fields["prompt"] == ids[:100]
        client.post("/chat/completions", {"messages": [{"role": "user", "content": "x" * 1000}]})
        assert len(honest.asked[-1].fields["messages"][0]["content"]) == 500
    with Through(honest, "too-long-is-cut") as client:
        assert client.post("/completions", {"prompt": list(range(WINDOW + 1))}).status == 200
        assert len(honest.asked[-1].fields["prompt"]) < WINDOW
        client.post("/completions", {"prompt": list(range(WINDOW - 8))})
        assert len(honest.asked[-1].fields["prompt"]) == WINDOW - 8


def ask(client: Client, **body: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    reply = client.post("/chat/completions", {"messages": [], "logprobs": True, **body})
    return reply.body["choices"][0], reply.body


def test_what_is_said_is_changed(honest: Honest) -> None:
    def message(lie: str, **body: Any) -> dict[str, Any]:
        with Through(honest, lie) as client:
            return dict(ask(client, **body)[0]["message"])

    assert set(message("one-token")["content"].split()) == {"the"}
    assert message("empty-content")["content"] == "" and message("empty-content")["reasoning"]
    assert not message("nothing-said")["content"] and not message("nothing-said")["reasoning"]
    assert message("thinking-in-content")["content"].startswith("I think soheard")
    assert message("think-mark-in-content")["content"].startswith("</think>")
    assert message("thinking-dropped")["reasoning"] is None
    assert message("thinking-renamed")["thoughts"] == "I think so"
    with pytest.raises(ValueError):
        json.loads(message("tool-arguments-cut", tools=TOOLS)["tool_calls"][0]["function"]["arguments"])
    assert "unasked" in message("tool-argument-added", tools=TOOLS)["tool_calls"][0]["function"]["arguments"]
    assert '"2"' in message("tool-numbers-as-text", tools=TOOLS)["tool_calls"][0]["function"]["arguments"]
    assert message("tool-renamed", tools=TOOLS)["tool_calls"][0]["function"]["name"] == "no_such_tool"
    assert "tool_calls" not in message("tool-in-content", tools=TOOLS)
    assert len(message("one-call-alone", tools=TOOLS)["tool_calls"]) == 1


def test_what_is_counted_is_changed(honest: Honest) -> None:
    def usage(lie: str) -> Any:
        with Through(honest, lie) as client:
            return ask(client)[1].get("usage")

    def logprobs(lie: str) -> Any:
        with Through(honest, lie) as client:
            return ask(client)[0]["logprobs"]

    assert usage("usage-missing") is None
    assert usage("prompt-tokens-wrong")["prompt_tokens"] == 16
    assert usage("completion-doubled")["completion_tokens"] == 24
    assert usage("completion-zero")["completion_tokens"] == 0
    assert usage("total-wrong")["total_tokens"] == 121
    assert "completion_tokens_details" not in usage("thinking-uncounted")
    assert usage("thinking-undercounted")["completion_tokens_details"]["reasoning_tokens"] == 6
    assert usage("thinking-overcounted")["completion_tokens_details"]["reasoning_tokens"] == 60
    assert logprobs("logprobs-dropped") is None
    assert logprobs("logprobs-positive")["content"][0]["logprob"] > 0
    assert len(logprobs("top-logprobs-cut")["content"][0]["top_logprobs"]) == 1
    assert [each["logprob"] for each in logprobs("logprobs-flat")["content"][0]["top_logprobs"]] == [0, 0]
    assert logprobs("half-quantised")["content"][0]["logprob"] != -0.1
    with Through(honest, "tokenizer-off") as client:
        assert client.call("POST", "/tokenize", json_body={}).body == {"count": 5, "tokens": [7, 8, 7, 7, 7]}


def test_streams_lie_too(honest: Honest) -> None:
    def stream(lie: str) -> Answer:
        with Through(honest, lie) as client:
            return client.stream("Hello")

    assert stream("half-streamed").content == "" and stream("half-streamed").finish == "stop"
    lump = stream("one-lump")
    assert (lump.chunks, lump.thinking, lump.content, lump.finish) == (1, "I think so", "heard you", "stop")
    assert lump.completion_tokens == 12
    assert stream("stream-without-usage").completion_tokens is None
    assert stream("at-once").content == "heard you"
    assert stream("thinking-dropped").thinking == ""
    for lie in ("broken-stream", "error-in-stream"):
        with pytest.raises(NoAnswer):
            stream(lie)
    with Through(honest, "no-done") as client:
        assert all(event.data != "[DONE]" for event in client.events("/chat/completions", {"messages": []}).events)


def test_a_frozen_stream_ends_by_the_clients_own_deadline(honest: Honest) -> None:
    began = time.monotonic()
    with Through(honest, "frozen-stream") as client, pytest.raises(NoAnswer, match="imed out"):
        client.stream("Hello", timeout=0.5)
    assert time.monotonic() - began < 20
    assert streams.LIES[0].deadline_s and streams.LIES[0].deadline_s <= 10


def test_errors_are_hidden_or_badly_formed(honest: Honest) -> None:
    def bad(lie: str) -> Any:
        with Through(honest, lie) as client:
            return client.post("/chat/completions", {"model": "no-such", "messages": []})

    assert bad("refusals-as-200").status == 200 and bad("refusals-as-500").status == 500
    assert (bad("refusals-without-body").status, bad("refusals-without-body").text) == (404, "")
    assert bad("refusals-in-html").body is None and bad("refusals-in-html").status == 404
    assert bad("any-model-answers").status == 200
    with Through(honest, "error-in-200") as client:
        assert "error" in client.post("/chat/completions", {"messages": []}).body
        assert client.call("GET", "/v1/models").status == 200
    with Through(honest, "every-third-500") as client:
        assert [client.post("/chat/completions", {"messages": []}).status for _ in range(4)] == [200, 200, 500, 200]
    for lie in ("truncated-json", "connection-cut", "hangs-up", "no-choices"):
        with Through(honest, lie) as client, pytest.raises(NoAnswer):
            client.chat("Hello")
    with Through(honest, "nothing-behind") as client, pytest.raises(Refused, match="502"):
        client.chat("Hello")


def test_who_is_let_in(honest: Honest) -> None:
    def status(lie: str, path: str, key: bool | str = False) -> int:
        with Through(honest, lie) as client:
            return client.call("GET", path, key=key).status

    assert status("key-not-needed", "/v1/models") == 200 and status("any-key", "/v1/models") == 401
    assert status("any-key", "/v1/models", "wrong") == 200
    assert status("models-open", "/v1/models") == 200 and status("models-open", "/tokenize") == 401
    assert status("metrics-open", "/metrics") == 200 and status("docs-open", "/docs") == 200
    assert status("invocations-open", "/invocations") == 200 and status("key-refused", "/v1/models", True) == 401
    assert status("metrics-gone", "/metrics", True) == 404
    assert status("health-503", "/health") == 503 and status("health-500", "/health") == 500


def test_what_the_server_says_of_itself(honest: Honest) -> None:
    def body(lie: str, path: str) -> Any:
        with Through(honest, lie) as client:
            return client.call("GET", path).text

    assert '"data": []' in body("models-empty", "/v1/models") and "gpt-oss" in body("other-model", "/v1/models")
    assert body("metrics-renamed", "/metrics").startswith("engine_num_requests")
    assert "healthy" in body("health-says-healthy", "/health")


def test_a_lie_on_top_of_what_is_set_right() -> None:
    right = Lie("none", "", ask=lambda asked: Told(200, b"right") if asked.path == "/health" else asked)
    asked = Asked("GET", "/health", {})
    lie = replace(HONEST, name="other", ask=lambda asked: Told(500, b"lie"))
    assert both(right, lie).ask(asked) == Told(500, b"lie")
    assert both(right, replace(HONEST, name="other")).ask(asked) == Told(200, b"right")


def test_greedy_answers_are_remembered_and_sampled_ones_are_not(honest: Honest) -> None:
    remembered: Remembered = {}
    for lie in ("completion-doubled", "completion-zero"):
        with Through(honest, lie, remembered) as client:
            client.chat("Hello", temperature=0)
            client.chat("Hello", temperature=1)
    assert [asked.fields["temperature"] for asked in honest.asked] == [0, 1, 1]


def test_the_same_question_asked_twice_is_remembered_twice(honest: Honest) -> None:
    remembered: Remembered = {}
    with Through(honest, "completion-doubled", remembered) as client:
        client.chat("Hello", temperature=0)
        client.chat("Hello", temperature=0)
    assert len(honest.asked) == len(remembered) == 2


HOST_TEXTS = {
    "log": recordings.text("server.log"),
    "times": "@@ clock\nnow=2.5\n@@ files\nd 4096 1 1.0 1.0 \nf 9 2 1.0 1.0 config.json\n@@ end\n",
    "sockets": "@@ tcp\nLISTEN 0 128 127.0.0.1:22101 0.0.0.0:*\n@@ end\n",
    "watch": '@@ process\nrunning 4711\n@@ state\n{"state": {"breaker": ""}}\n@@ events\n',
    "hub": '{"path": "a", "size": 1, "sha256": "' + "b" * 64 + '", "git_sha1": null}\n',
}


@pytest.mark.parametrize("lie", host.LIES, ids=[lie.name for lie in host.LIES])
def test_a_host_lies_in_one_command_and_in_no_other(lie: host.HostLie) -> None:
    commands = {
        "log": "head -c 1000000 /opt/b/releases/x/server-22101.log; [ 1 ]",
        "times": "echo '@@ clock'; find x -printf '%y %s %i %T@ %C@ %P\\n'",
        "sockets": "echo '@@ tcp'; LC_ALL=C ss -H -l -t -n -p || exit",
        "watch": "cat x/watch-events.jsonl",
        "hub": "python -c 'HfApi(endpoint=endpoint)'",
    }
    inner = FakeHost("h0", {commands[name]: text for name, text in HOST_TEXTS.items()})
    told = host.LyingHost(inner, lie)
    changed = [name for name, text in HOST_TEXTS.items() if told.run(commands[name]).stdout != text]
    assert len(changed) == 1 and told.lied == 1


def test_a_spoilt_copy_is_read_in_the_place_of_the_folder() -> None:
    inner = FakeHost("h0", {"ls /tmp/copy": "/tmp/copy/a\n"})
    ran = Elsewhere(inner, "/models/a", "/tmp/copy").run("ls /models/a")
    assert (ran.command, ran.stdout) == ("ls /models/a", "/models/a/a\n")


def test_the_catalogue_names_claims_and_lies_that_exist_and_every_lie_is_for_someone() -> None:
    cases = catalogue.cases()
    assert len({(name, stage, fault) for name, stage, fault, _ in cases}) == len(cases) >= 60
    for name, stage, fault, expected in cases:
        assert stage in claim(name).stages, (name, stage)
        assert fault in LIES and expected <= {Outcome.FAIL, Outcome.UNKNOWN} and expected
    unplayed = set(LIES) - {fault for _, _, fault, _ in cases}
    assert unplayed == set(catalogue.UNPLAYED)
    known = {each.id for each in claims()}
    assert set(WEIGHTS) | set(catalogue.RIGHT) | {row[0] for row in CHANGED} <= known
    assert {name for _, _, _, seen in scripted_lies() for name in seen} <= known
    assert {fault for faults in WEIGHTS.values() for fault in faults} <= {row[0] for row in SPOILT}


def test_every_spoiling_command_is_shell_that_spoils(tmp_path: Path) -> None:
    import subprocess

    for name, _, spoil in SPOILT:
        folder = tmp_path / name
        folder.mkdir()
        files = {
            "model-00001.safetensors": bytes(16384),
            "config.json": b"{}\n",
            "model.safetensors.index.json": b'{"metadata": {"total_size": 99}}',
            "tokenizer.json": b"{}",
        }
        for file, data in files.items():
            (folder / file).write_bytes(data)
        script = f'f="$(ls *.safetensors | head -n 1)" && {spoil}'
        subprocess.run(["sh", "-c", script], cwd=folder, check=True)
        now = {file.name: file.read_bytes() for file in folder.iterdir()}
        assert now != files and len(set(now.items()) ^ set(files.items())) <= 2, name


def test_the_page_says_what_the_catalogue_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(None), "python -m tests.liars.page --write"
