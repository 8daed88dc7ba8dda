"""A fake engine and a fake gateway.  `fake_service.py engine PORT MODE_FILE` or `fake_service.py door PORT SLOTS_FILE`

The engine answers chats and completions by itself, in two processes, with any key; MODE_FILE says ok, other (another
sentence), babble, or die (ends at start).  The door carries bytes between its port and that of the live slot.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WHAT, PORT, FILE = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
SENTENCES = {"other": "Something else is said from now on.", "babble": "!" * 60}


class Answers(BaseHTTPRequestHandler):
    def reply(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.reply({"data": [{"id": "tiny"}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        said = SENTENCES.get(FILE.read_text().strip(), "The fake engine says one sentence.")
        usage = {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}
        choice = {"index": 0, "text": said, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        self.reply({"id": "x", "object": "x", "created": 1, "model": "x", "choices": [choice], "usage": usage})

    def log_message(self, *_: object) -> None:
        pass


def engine() -> None:
    if FILE.read_text().strip() == "die":
        sys.exit(1)
    if os.fork() == 0:  # a worker that does nothing, but is there to be stopped with the rest
        while os.getppid() != 1:
            time.sleep(0.2)
        os._exit(0)
    ThreadingHTTPServer(("127.0.0.1", PORT), Answers).serve_forever()


def carry(here: socket.socket, there: socket.socket) -> None:
    try:
        while data := here.recv(65536):
            there.sendall(data)
    except OSError:
        pass
    finally:
        for each in (here, there):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def door() -> None:
    server = socket.create_server(("127.0.0.1", PORT), backlog=64)
    while True:
        near, _ = server.accept()
        try:
            far = socket.create_connection(("127.0.0.1", json.loads(FILE.read_text())["live"]["port"]))
        except OSError:
            near.close()
            continue
        for pair in ((near, far), (far, near)):
            threading.Thread(target=carry, args=pair, daemon=True).start()


if __name__ == "__main__":
    {"engine": engine, "door": door}[WHAT]()
