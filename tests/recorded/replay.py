"""A real HTTP server on loopback that answers the recorded requests as they were answered, and refuses any other."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from tests.recorded import recordings

CUT = 400  # characters of a request that exchanges.jsonl keeps
KEY = "test-api-key-of-the-replay"


def _streamed(whole: dict[str, Any]) -> str:
    """The recorded answer of a stream as events of the recorded form: one a word, usage in the last."""
    answer = json.loads(whole["response"])
    events: list[dict[str, Any]] = [{"delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
    for name, said in (("reasoning", answer["thinking"]), ("content", answer["content"])):
        events += [{"delta": {name: f" {word}"}, "finish_reason": None} for word in said.split()]
    events.append({"delta": {}, "finish_reason": answer["finish"]})
    about = {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "tiny-k2"}
    lines = [{**about, "choices": [{"index": 0, "logprobs": None, **event}]} for event in events]
    usage = {
        "prompt_tokens": answer["prompt_tokens"],
        "completion_tokens": answer["completion_tokens"],
        "total_tokens": answer["prompt_tokens"] + answer["completion_tokens"],
        "completion_tokens_details": {"reasoning_tokens": answer["thinking_tokens"]},
    }
    lines.append({**about, "choices": [], "usage": usage})
    return "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"


class Replay(ThreadingHTTPServer):
    """The exchanges of one stage by method, path, key and the start of the body."""

    daemon_threads = True

    def __init__(self, stage: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port: int = self.server_address[1]
        self.surprises: list[str] = []
        self.change: dict[str, tuple[int, str]] = {}  # purpose -> another status and body
        self._known = [e for e in recordings.exchanges() if e["stage"] == stage and e["kind"] == "request"]
        self._streams = {e["of"]: e for e in recordings.exchanges() if e["kind"] == "stream"}

    def answer(self, method: str, path: str, body: str, key: str) -> tuple[int, str, str]:
        """Status, content type, body."""
        for known in self._known:
            same = (known["method"], urlsplit(known["url"]).path) == (method, path)
            if not same or known["request"] != (body[:CUT] if len(body) > CUT else body):
                continue
            if known["purpose"] in ("no key", "wrong key") and key == KEY:
                continue
            if known["purpose"] not in ("no key", "wrong key") and "/v1/" in path and key != KEY:
                continue
            if len(body) > CUT and known["purpose"] not in _by_length(body):
                continue
            if known["purpose"] in self.change:
                status, text = self.change[known["purpose"]]
                return status, "application/json", text
            if known["response"] == "[event stream]":
                return 200, "text/event-stream", _streamed(self._streams[known["id"]])
            return known["status"], "application/json", known["response"]
        self.surprises.append(f"{method} {path} {body[:200]}")
        return 599, "application/json", '{"error": "this request was not recorded"}'


def _by_length(body: str) -> tuple[str, ...]:
    """Which of the requests that differ only in length this one is; recorded at 32,768 tokens."""
    prompt = json.loads(body).get("prompt")
    if not isinstance(prompt, list):
        return ("forced tool",)
    return {32_760: ("full window",), 32_769: ("one token over",), 32_768: ("no room for an answer",)}.get(
        len(prompt), ()
    )


class _Handler(BaseHTTPRequestHandler):
    server: Replay
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        key = self.headers.get("authorization", "").removeprefix("Bearer ")
        path = str(PurePosixPath(self.path))
        status, kind, text = self.server.answer(self.command, path, body, key)
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""


@contextmanager
def replaying(stage: str = "staging") -> Iterator[Replay]:
    with Replay(stage) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)
