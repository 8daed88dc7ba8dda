"""A FAKE engine for containers: it computes nothing, it answers as one would.  Standard library alone.

What real vLLM can't be made to do quickly: end at a bad flag within a second, repeat one word, end on its own after
some seconds, hang while /health still answers.  Its name says "fake" wherever it is seen.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser(prog="fake-engine")
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--says", default="the quick brown fox jumps over a lazy dog")
parser.add_argument("--ends-after-s", type=float)
parser.add_argument("--hangs-after-s", type=float, help="completions hang, /health goes on")
asked = parser.parse_args()
KEY, BEGAN = os.environ.get("VLLM_API_KEY", ""), time.monotonic()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/health":
            self._send(200, {})
        else:
            self._guarded({"data": [{"id": "tiny-k2"}], "object": "list"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if asked.hangs_after_s is not None and time.monotonic() - BEGAN > asked.hangs_after_s:
            time.sleep(3600)
        usage = {"prompt_tokens": 3, "completion_tokens": len(asked.says.split()), "total_tokens": 12}
        choice = {"index": 0, "finish_reason": "stop", "text": asked.says}
        choice["message"] = {"role": "assistant", "content": asked.says}
        self._guarded(
            {"id": "fake", "object": "x", "created": 1, "model": "tiny-k2", "choices": [choice], "usage": usage}
        )

    def _guarded(self, body: dict[str, object]) -> None:
        if self.headers.get("Authorization") == f"Bearer {KEY}":
            self._send(200, body)
        else:
            self._send(401, {"error": "Unauthorized"})

    def _send(self, status: int, body: dict[str, object]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


print(f"fake engine on port {asked.port}", flush=True)
if asked.ends_after_s is not None:
    threading.Timer(asked.ends_after_s, lambda: (print("fake engine ends", flush=True), os._exit(0))).start()
ThreadingHTTPServer(("127.0.0.1", asked.port), Answer).serve_forever()
