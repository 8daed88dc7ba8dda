"""Lies about tokens: what was used, what was cached, how likely they were."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.liars.exchange import Asked, Lie, Told, choices, on, told_json, usage


def _set(name: str, change: Callable[[int], int]) -> Any:
    def each(found: dict[str, Any]) -> None:
        if isinstance(found.get(name), int):
            found[name] = change(found[name])

    return usage(each)


def _no_usage(asked: Asked, value: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name != "usage"}


def _no_thinking(found: dict[str, Any]) -> None:
    found.pop("completion_tokens_details", None)


def _thinking(change: Callable[[int], int]) -> Any:
    def each(found: dict[str, Any]) -> None:
        details = found.get("completion_tokens_details")
        if isinstance(details, dict) and isinstance(details.get("reasoning_tokens"), int):
            details["reasoning_tokens"] = change(details["reasoning_tokens"])

    return usage(each)


def _no_logprobs(choice: dict[str, Any]) -> None:
    choice["logprobs"] = None


def _tokens(choice: dict[str, Any]) -> list[dict[str, Any]]:
    found = choice.get("logprobs")
    return list(found.get("content") or ()) if isinstance(found, dict) else []


def _positive(choice: dict[str, Any]) -> None:
    for token in _tokens(choice):
        token["logprob"] = abs(token["logprob"]) + 0.5
    _old_form(choice, lambda value: abs(value) + 0.5)


def _old_form(choice: dict[str, Any], change: Callable[[float], float]) -> None:
    """The completions route has its own form of logprobs."""
    found = choice.get("logprobs")
    if isinstance(found, dict) and found.get("token_logprobs"):
        found["token_logprobs"] = [None if v is None else change(v) for v in found["token_logprobs"]]
        for place in found.get("top_logprobs") or ():
            for token in place or ():
                place[token] = change(place[token])


def _one_top(choice: dict[str, Any]) -> None:
    for token in _tokens(choice):
        token["top_logprobs"] = token.get("top_logprobs", [])[:1]


def _flat(choice: dict[str, Any]) -> None:
    """Every token as likely as any other ten: they sum to ten in one place."""
    for token in _tokens(choice):
        token["logprob"] = 0.0
        for other in token.get("top_logprobs") or ():
            other["logprob"] = 0.0


def _noisy(choice: dict[str, Any]) -> None:
    """As of weights that lost half of their bits: each log-probability is off by about one."""
    rng = random.Random(7)
    for token in _tokens(choice):
        token["logprob"] = min(-1e-4, token["logprob"] + rng.gauss(0, 1.0))
        for other in token.get("top_logprobs") or ():
            other["logprob"] = min(-1e-4, other["logprob"] + rng.gauss(0, 1.0))
    _old_form(choice, lambda value: min(-1e-4, value + rng.gauss(0, 1.0)))
    for place in choice.get("prompt_logprobs") or ():
        for told in (place or {}).values():
            told["logprob"] = min(-1e-4, told["logprob"] + rng.gauss(0, 1.0))


def _tokenize(asked: Asked, told: Told) -> Told:
    """Every text has three tokens more than it has."""
    value = told.fields
    if told.status != 200 or not isinstance(value, dict) or "tokens" not in value:
        return told
    tokens = value["tokens"]
    more = [*tokens, *tokens[:1] * 3]
    return replace(told, body=json.dumps({**value, "tokens": more, "count": len(more)}).encode())


LIES = (
    Lie("usage-missing", "no answer says what it used", tell=told_json(_no_usage)),
    Lie("prompt-tokens-wrong", "seven prompt tokens too many are counted", tell=_set("prompt_tokens", lambda n: n + 7)),
    Lie(
        "completion-doubled", "twice the completion tokens are counted", tell=_set("completion_tokens", lambda n: n * 2)
    ),
    Lie("completion-zero", "no completion token is counted", tell=_set("completion_tokens", lambda n: 0)),
    Lie("total-wrong", "the total is not the sum", tell=_set("total_tokens", lambda n: n + 100)),
    Lie("thinking-uncounted", "usage does not tell the thinking's tokens", tell=usage(_no_thinking)),
    Lie("thinking-undercounted", "every thinking is counted as 8 tokens", tell=_thinking(lambda n: min(n, 8))),
    Lie("thinking-overcounted", "ten times the thinking's tokens are counted", tell=_thinking(lambda n: n * 10)),
    Lie("logprobs-dropped", "no log-probabilities come", tell=choices(_no_logprobs)),
    Lie("logprobs-positive", "tokens are more than certain", tell=choices(_positive)),
    Lie("top-logprobs-cut", "one alternative a token, whatever was asked for", tell=choices(_one_top)),
    Lie("logprobs-flat", "every alternative is certain", tell=choices(_flat)),
    Lie("half-quantised", "log-probabilities as of weights with half their bits", tell=choices(_noisy)),
    Lie("tokenizer-off", "/tokenize gives three tokens too many", tell=on("/tokenize", _tokenize)),
)
