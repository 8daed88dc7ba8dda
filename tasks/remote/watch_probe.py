"""Runs on the host: one real completion of one token from the engine on loopback.  Python 3.9 and later.

The API key goes in a header and nowhere else; proxies of the environment are not asked.
"""

from __future__ import annotations

import http.client
import json
import math
import re
import time
from typing import Any

from tasks.remote.watch_rules import ANSWERED, BUSY, GARBAGE, REFUSED, SLOW, UNCLEAR, Seen

PROMPT = "Say one sentence."
# Of vLLM, SGLang and llama.cpp.  What is counted by request would move with our own, aborted one.
COUNTERS = re.compile(
    r"\w+:(?:prompt_tokens|generation_tokens|tokens_predicted)_total|\w+:iteration_tokens_total_(?:sum|count)"
)
SHORT_S = 5.0  # for what the server answers without the engine: health, counters
LIMIT_BYTES = 4 << 20


class Http:
    """The engine at a port of 127.0.0.1.  Every call has a deadline in seconds; raises OSError or HTTPException."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self._key = port, key

    def call(self, method: str, path: str, body: Any, deadline_s: float, limit: int = LIMIT_BYTES) -> tuple[int, str]:
        """Status and text, whole within `deadline_s`."""
        end = time.monotonic() + deadline_s
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=max(0.1, deadline_s))
        headers = {"Content-Type": "application/json", "Connection": "close"}
        if self._key:
            headers["Authorization"] = "Bearer " + self._key
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            parts: list[bytes] = []
            while chunk := answer.read1(65536):
                parts.append(chunk)
                if time.monotonic() > end:
                    raise TimeoutError(f"not whole after {deadline_s:g} s")
                if sum(map(len, parts)) > limit:
                    raise http.client.HTTPException(f"more than {limit} bytes")
            return answer.status, b"".join(parts).decode("utf-8", "replace")
        finally:
            connection.close()


def probe(engine: Http, deadline_s: float, extra: dict[str, Any]) -> Seen:
    """One completion; the model's name is what the engine itself lists."""
    end = time.monotonic() + deadline_s
    before: float | None = None
    try:
        before = work_done(engine, min(SHORT_S, deadline_s))
        status, text = engine.call("GET", "/v1/models", None, max(0.1, end - time.monotonic()))
        if status != 200:
            return _by_status(status, text)
        body = {"model": json.loads(text)["data"][0]["id"], "prompt": PROMPT, "max_tokens": 1, "temperature": 0}
        status, text = engine.call("POST", "/v1/completions", {**body, **extra}, max(0.1, end - time.monotonic()))
    except ConnectionRefusedError:
        return Seen(REFUSED, f"nothing listens on port {engine.port}")
    except (OSError, http.client.HTTPException) as error:
        after = None if before is None else work_done(engine, SHORT_S)
        if before is not None and after is not None and after > before:
            return Seen(BUSY, f"no completion in {deadline_s:g} s, and {after - before:g} tokens for others meanwhile")
        return Seen(SLOW, f"no completion in {deadline_s:g} s: {type(error).__name__} {error}".strip())
    except (ValueError, KeyError, IndexError, TypeError):
        return Seen(GARBAGE, "its list of models can't be read")
    return judged(status, text)


def judged(status: int, text: str) -> Seen:
    """What an answer to the completion says of the engine."""
    if status != 200:
        return _by_status(status, text)
    try:
        value = json.loads(text)
        choice = value["choices"][0]
        words, tokens = str(choice["text"]), (value.get("usage") or {}).get("completion_tokens")
        logprobs = (choice.get("logprobs") or {}).get("token_logprobs") or []
        finite = all(math.isfinite(each) for each in logprobs if each is not None)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return Seen(GARBAGE, "the answer is no completion")
    if not finite:
        return Seen(GARBAGE, "the token's log probability is not a number")
    # A token without text is one: half of a UTF-8 character, or the end of the text.
    if tokens == 0 or (tokens is None and not words):
        return Seen(GARBAGE, "the completion is empty")
    return Seen(ANSWERED)


def _by_status(status: int, text: str) -> Seen:
    """4xx is about our question, 5xx about the engine."""
    return Seen(UNCLEAR if 400 <= status < 500 else SLOW, f"status {status}: {text[:160]}")


def work_done(engine: Http, deadline_s: float) -> float | None:
    """The sum of the engine's token counters, or None where it shows none."""
    try:
        status, text = engine.call("GET", "/metrics", None, deadline_s)
    except (OSError, http.client.HTTPException):
        return None
    return tokens_counted(text) if status == 200 else None


def tokens_counted(metrics: str) -> float | None:
    """The sum of the samples in the Prometheus text that COUNTERS names; they grow with each step of the engine.

    Samples: 'vllm:generation_tokens_total{engine="0"} 27.0', 'vllm:iteration_tokens_total_sum{engine="0"} 54.0'
    """
    found = []
    for line in metrics.splitlines():
        if COUNTERS.fullmatch(line.split("{")[0].split(" ")[0]):
            try:
                found.append(float(line.rsplit(" ", 1)[1]))
            except (IndexError, ValueError):
                continue
    return sum(found) if found else None


def health(engine: Http) -> str:
    """What /health says: for the record alone."""
    try:
        return str(engine.call("GET", "/health", None, SHORT_S)[0])
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
