"""Lies about who is let in, and what /metrics tells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from assumptions.metric_names import WANTED
from assumptions.thinking_budget import NAME
from assumptions.thinking_budget_range import DEFAULT, SCHEMA
from tests.liars.exchange import Asked, Lie, Told, on

REFUSAL = {"error": {"message": "Unauthorized", "type": "invalid_request_error", "code": 401}}
Key = Callable[[], str]
METRICS = b"# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 0.0\n"


def _with_key(key: Key, *prefixes: str) -> Any:
    def ask(asked: Asked) -> Asked | Told:
        if prefixes and not asked.path.startswith(prefixes):
            return asked
        return replace(asked, headers={**asked.headers, "authorization": f"Bearer {key()}"})

    return ask


def _wrong_key_too(key: Key) -> Any:
    """Any key is as good as the right one; none is still refused."""

    def ask(asked: Asked) -> Asked | Told:
        given = "authorization" in asked.headers
        return replace(asked, headers={**asked.headers, "authorization": f"Bearer {key()}"}) if given else asked

    return ask


def _open(path: str, body: bytes) -> Any:
    def ask(asked: Asked) -> Asked | Told:
        return Told(200, body, "text/plain") if asked.path == path else asked

    return ask


def _all_refused(asked: Asked) -> Asked | Told:
    return Told.of(401, REFUSAL)


def of(key: Key) -> tuple[Lie, ...]:
    """The lies for a server with this key, which is asked for when it is needed."""
    return (
        Lie("key-not-needed", "who has no key is let in", ask=_with_key(key)),
        Lie("any-key", "any key is as good as the right one", ask=_wrong_key_too(key)),
        Lie("models-open", "/v1/models needs no key", ask=_with_key(key, "/v1/models")),
        Lie("metrics-open", "/metrics answers whoever asks", ask=_open("/metrics", METRICS)),
        Lie("invocations-open", "/invocations answers whoever asks", ask=_open("/invocations", b'{"choices": []}')),
        Lie("docs-open", "/docs answers whoever asks", ask=_open("/docs", b"<html>")),
        Lie("key-refused", "the right key is refused", ask=_all_refused),
    )


def metrics(change: Callable[[str], str]) -> Any:
    """A change of what /metrics says."""

    def each(asked: Asked, told: Told) -> Told:
        return replace(told, body=change(told.body.decode()).encode()) if told.status == 200 else told

    return on("/metrics", each)


def _late(text: str) -> str:
    """The engine was up an hour after its process began."""
    pattern = re.compile(r"^(vllm:e2e_request_latency_seconds_created\S* )(\S+)", re.MULTILINE)
    text = pattern.sub(lambda found: f"{found[1]}{float(found[2]) + 3600}", text)
    pattern = re.compile(r"^(http_requests_created\S* )(\S+)", re.MULTILINE)
    return pattern.sub(lambda found: f"{found[1]}{float(found[2]) + 3600}", text)


def _guides(text: str) -> str:
    """The names that the guide's dashboard asks for, beside the engine's own."""
    names = [name for name in WANTED if name not in text]
    return text + "".join(f"# TYPE {name} untyped\n{name} 1.0\n" for name in names)


def _renamed(text: str) -> str:
    return text.replace("vllm:", "engine_").replace("kimi_k2_", "k2_")


def _no_route(asked: Asked) -> Asked | Told:
    return Told.of(404, {"detail": "Not Found"}) if asked.path == "/metrics" else asked


LIES = (
    Lie("metrics-renamed", "every metric has another name", tell=metrics(_renamed)),
    Lie("metrics-late", "the engine's counters are an hour younger than its process", tell=metrics(_late)),
    Lie("metrics-gone", "there is no /metrics", ask=_no_route),
)
GUIDES_NAMES = Lie("none", "the names that the guide's dashboard asks for are there too", tell=metrics(_guides))


def _default(asked: Asked, told: Told) -> Told:
    """The engine's document gives the guide's budget as the field's default."""
    document = told.fields
    try:
        properties = document["components"]["schemas"][SCHEMA]["properties"]
    except (LookupError, TypeError):
        return told
    properties.setdefault(NAME, {})["default"] = DEFAULT
    return replace(told, body=json.dumps(document).encode())


GUIDES_DEFAULT = Lie(
    "none", "the engine's document gives the guide's default budget", tell=on("/openapi.json", _default)
)
