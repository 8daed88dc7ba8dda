"""Runs inside an engine's container: exits with 0 when a completion of one token came back in time.

Arguments: port, seconds, name of the variable that holds the API key.  Standard library alone, and one file: it is
brought to the host as it stands.
/health alone is no proof: an engine whose worker hangs still answers it.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
from typing import Any


def ask(
    connection: http.client.HTTPConnection, key: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One JSON answer; any status but 200 ends the probe.  The key goes into a header and nowhere else."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + key}
    connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    text = answer.read(4 << 20)
    if answer.status != 200:
        raise SystemExit(f"{path}: status {answer.status}: {text[:200].decode('utf-8', 'replace')}")
    value: dict[str, Any] = json.loads(text)
    return value


def main(port: int, seconds: int, key: str) -> None:
    """The first model that the server lists must give one token."""
    signal.alarm(seconds)  # ends the process, whatever it waits for
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    model = ask(connection, key, "/v1/models")["data"][0]["id"]
    body = {"model": model, "prompt": "Say one sentence.", "max_tokens": 1, "temperature": 0}
    answer = ask(connection, key, "/v1/completions", body)
    tokens = (answer.get("usage") or {}).get("completion_tokens")
    if tokens != 1 and not answer["choices"][0]["text"]:
        raise SystemExit("the completion is empty")
    print("one token came back")


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), int(sys.argv[2]), os.environ.get(sys.argv[3], ""))
    except (OSError, http.client.HTTPException, ValueError, KeyError, IndexError, TypeError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
