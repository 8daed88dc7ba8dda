"""A fake engine: no model, but two real processes, as vLLM has them.  `python fake_engine.py PORT MODE_FILE [LOAD_S]`

The first answers HTTP (/health, /v1/models, /metrics) by itself and asks the second, the worker, for a token.  A worker
that is stopped leaves /health at 200.  MODE_FILE says what completions are like: ok, empty, nan, text, error, denied,
busy, exit (ends at the next completion), die (ends at start), chatty (40 MB on its log for each completion).
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path

PORT, MODE = int(sys.argv[1]), Path(sys.argv[2])
LOAD_S = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
KEY = os.environ.get("VLLM_API_KEY", "")
LOCK = threading.Lock()


def mode() -> str:
    return MODE.read_text().strip()


def worker(pipe: Connection) -> None:
    while True:
        pipe.send(pipe.recv())


def completion() -> tuple[int, str]:
    bodies = {
        "empty": '{"choices": [{"text": "", "finish_reason": "length"}], "usage": {"completion_tokens": 0}}',
        "nan": '{"choices": [{"text": "!", "logprobs": {"token_logprobs": [NaN]}}], "usage": {"completion_tokens": 1}}',
        "text": "hello",
    }
    if mode() in bodies:
        return 200, bodies[mode()]
    if mode() == "error":
        return 500, '{"error": "EngineDeadError"}'
    return 200, '{"choices": [{"text": " a"}], "usage": {"completion_tokens": 1}}'


class Answers(BaseHTTPRequestHandler):
    pipe: Connection
    busy = 0

    def reply(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self) -> None:
        if self.path == "/metrics":
            Answers.busy += mode() == "busy"
            self.reply(200, f"fake:generation_tokens_total{{}} {Answers.busy}\nfake:request_max_tokens_sum 9\n")
        elif self.path == "/health":
            self.reply(200, "")
        else:
            self.reply(200, json.dumps({"data": [{"id": "tiny"}]}))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {KEY}" or mode() == "denied":
            return self.reply(401, '{"error": "Unauthorized"}')
        if mode() == "exit":
            print("the fake engine was told to exit", flush=True)
            os._exit(3)
        if mode() == "chatty":
            print(40_000_000 * "x", flush=True)
        if mode() == "busy":
            time.sleep(60)
        with LOCK:
            self.pipe.send(1)
            self.pipe.recv()
        return self.reply(*completion())

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    print(f"the fake engine starts, key {KEY}", flush=True)
    if mode() == "die":
        sys.exit(1)
    time.sleep(LOAD_S)
    Answers.pipe, far = Pipe()
    child = Process(target=worker, args=(far,), daemon=True)
    child.start()
    MODE.with_name(f"worker-{PORT}").write_text(str(child.pid))
    ThreadingHTTPServer(("127.0.0.1", PORT), Answers).serve_forever()
