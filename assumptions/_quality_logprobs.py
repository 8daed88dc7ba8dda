"""What an engine says of a given text: each token's log-probability, and the likeliest tokens at its place."""

from __future__ import annotations

import math
import re
from typing import Any

from assumptions._quality_reference import Run, Token
from inventories.errors import Problem
from serving.client import Client, Reply

TOP = 20  # vLLM's default --max-logprobs
_ID = re.compile(r"token_id:\d+")


class NoLogprobs(Problem):
    """The endpoint does not tell the log-probabilities of a text that is given to it."""


def scored(client: Client, text: str, purpose: str, *, timeout: float = 120.0) -> Run:
    """Every token of the text but the first, by the completions route with `echo`.  NoLogprobs where it gives none."""
    body = {
        "prompt": text,
        "echo": True,
        "max_tokens": 0,
        "logprobs": TOP,
        "temperature": 0,
        "return_tokens_as_token_ids": True,  # two tokens may be written alike; engines without the field ignore it
    }
    reply = client.expecting(200, purpose).post("/completions", body, timeout=timeout)
    if reply.status != 200:
        raise _none(client, f"{reply.status}: {reply.message[:200]}")
    run = _run(reply)
    if not run:
        raise _none(client, "its answer holds no logprobs of the prompt")
    return run


def spelling(run: Run) -> str:
    """How the tokens are written: `ids`, or `text` where the engine knows no other way."""
    return "ids" if all(_ID.fullmatch(token.text) for token in run) else "text"


def _run(reply: Reply) -> Run:
    try:
        told = reply.body["choices"][0]["logprobs"]
        rows = zip(told["tokens"], told["token_logprobs"], told["top_logprobs"], strict=True)
        return tuple(_token(text, own, top) for text, own, top in rows if own is not None)
    except (LookupError, TypeError, ValueError, AttributeError):
        return ()


def _token(text: Any, own: Any, top: Any) -> Token:
    """ValueError where a log-probability is none: nan, or more than 0."""
    found = {str(name): float(value) for name, value in top.items()}
    for value in (float(own), *found.values()):
        if math.isnan(value) or value > 1e-3:
            raise ValueError(f"{value} is no log-probability")
    return Token(str(text), float(own), found)


def _none(client: Client, said: str) -> NoLogprobs:
    return NoLogprobs(
        f"the endpoint gives no log-probabilities of a given text: {said}",
        where=f"{client.base_url}/completions with echo and logprobs={TOP}",
        fix="serve the reference with vLLM or SGLang; most hosted services don't tell them",
    )
