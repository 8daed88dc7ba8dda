"""A small engine that scores text: bytes are its tokens, and what comes next hangs on the byte before.

It stands in for an engine elsewhere; `noise` moves its logits as another kernel or a rounding would.
"""

import json
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TOKENS = 64


@dataclass
class Scorer:
    key: str = "reference-key-0123456789"
    noise: float = 0.0
    bare: bool = False  # gives no logprobs
    models: tuple[str, ...] = ("bf16",)
    version: str = "0.33.0"
    asked: list[dict[str, Any]] = field(default_factory=list)
    tables: dict[int, dict[str, float]] = field(default_factory=dict)

    def logprobs(self, before: int) -> dict[str, float]:
        chance = random.Random(before)
        own = random.Random(before + 1_000_003)
        logits = {f"token_id:{n}": chance.gauss(0, 3) + self.noise * own.gauss(0, 1) for n in range(TOKENS)}
        total = math.log(sum(map(math.exp, logits.values())))
        return {name: logit - total for name, logit in logits.items()}

    def answer(self, text: str) -> dict[str, Any]:
        if self.bare:
            return {"choices": [{"text": text, "logprobs": None}]}
        ids = [byte % TOKENS for byte in text.encode()]
        self.tables |= {each: self.logprobs(each) for each in set(ids) - set(self.tables)}
        tables = [self.tables[before] for before in ids[:-1]]
        names = [f"token_id:{each}" for each in ids]
        own = [table[name] for table, name in zip(tables, names[1:], strict=True)]
        top = [dict(sorted(table.items(), key=lambda pair: -pair[1])[:20]) for table in tables]
        told = {"tokens": names, "token_logprobs": [None, *own], "top_logprobs": [None, *top]}
        return {"choices": [{"text": text, "logprobs": told}]}


@contextmanager
def serving(scorer: Scorer) -> Iterator[str]:
    """Its address, ending in /v1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/version":
                return self.say(200, {"version": scorer.version})
            return self.say(200, {"data": [{"id": name} for name in scorer.models]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.headers.get("authorization") != f"Bearer {scorer.key}":
                return self.say(401, {"error": {"message": "no such key"}})
            scorer.asked.append(body)
            return self.say(200, scorer.answer(body["prompt"]))

        def say(self, status: int, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
