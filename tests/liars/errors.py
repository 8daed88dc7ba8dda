"""Lies about errors: hidden, badly formed, or where there should be none."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from typing import Any

from tests.liars.exchange import Asked, Lie, Told

ERROR = {"error": {"message": "CUDA error: an illegal memory access was encountered", "type": "server_error"}}
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><center><h1>nginx</h1></center></body></html>"


def _hidden(asked: Asked) -> Asked | Told:
    """Every question to the model ends in 200 with an error inside."""
    return Told.of(200, ERROR) if asked.generates else asked


def _statuses(change: Any) -> Any:
    """A change of refusals alone."""

    def tell(asked: Asked, told: Told) -> Told | None:
        refused = 400 <= told.status < 500 and asked.path.startswith("/v1/")
        return change(told) if refused else told

    return tell


def _every_third(status: int) -> Any:
    """Of the questions to the model."""
    count, lock = itertools.count(1), threading.Lock()

    def ask(asked: Asked) -> Asked | Told:
        if not asked.generates:
            return asked
        with lock:
            number = next(count)
        return Told.of(status, ERROR) if number % 3 == 0 else asked

    return ask


def _half_body(asked: Asked, told: Told) -> Told | None:
    """Half of the JSON, under its own length, so that only its reader can tell."""
    if not asked.generates or told.status != 200 or told.events is not None:
        return told
    return replace(told, body=told.body[: len(told.body) // 2])


def _short_body(asked: Asked, told: Told) -> Told | None:
    """The connection ends before the announced length."""
    if not asked.generates or told.events is not None:
        return told
    return replace(told, body=told.body[: len(told.body) // 2], cut=True)


def _hangs_up(asked: Asked, told: Told) -> Told | None:
    return None if asked.generates else told


def _always(status: int, body: bytes = PAGE) -> Any:
    def ask(asked: Asked) -> Asked | Told:
        return Told(status, body, "text/html")

    return ask


def _health(status: int, body: bytes) -> Any:
    def ask(asked: Asked) -> Asked | Told:
        return Told(status, body) if asked.path == "/health" else asked

    return ask


LIES = (
    Lie("error-in-200", "every question to the model ends in 200 with an error inside", ask=_hidden),
    Lie("truncated-json", "answers are cut in half and announced as whole", tell=_half_body),
    Lie("connection-cut", "the connection ends in the middle of an answer", tell=_short_body),
    Lie("hangs-up", "the connection ends without an answer", tell=_hangs_up),
    Lie("refusals-as-200", "a refusal has the status 200", tell=_statuses(lambda told: replace(told, status=200))),
    Lie("refusals-as-500", "a refusal has the status 500", tell=_statuses(lambda told: replace(told, status=500))),
    Lie("refusals-without-body", "a refusal says nothing", tell=_statuses(lambda told: replace(told, body=b""))),
    Lie(
        "refusals-in-html",
        "a refusal is a web page",
        tell=_statuses(lambda told: replace(told, body=PAGE, kind="text/html")),
    ),
    Lie("every-third-500", "every third question to the model ends in 500", ask=_every_third(500)),
    Lie("nothing-behind", "the gateway is up and nothing answers behind it", ask=_always(502)),
    Lie("health-says-healthy", '/health says {"status": "healthy"}', ask=_health(200, b'{"status": "healthy"}')),
    Lie("health-503", "/health answers 503", ask=_health(503, b"")),
    Lie("health-500", "/health answers 500", ask=_health(500, b"")),
)
HEALTH_OK = Lie("none", 'the body that the guide expects: {"status": "ok"}', ask=_health(200, b'{"status": "ok"}'))
