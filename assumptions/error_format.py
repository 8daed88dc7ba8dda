"""Claim: errors come as OpenAI's clients expect them: a status, an object that says why, nothing cut off in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._api import CHAT, NOT_TOLD, ask, request
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from inventories.schema import Inventory
from serving.client import Client, Reply
from tasks.site import Site

WORD = "a "  # one token at least with any tokenizer
FEW = 8
STATUS: Mapping[str, int] = {
    "unknown model": 404,
    "unknown model, streamed": 404,
    "bad type": 400,
    "bad value": 400,
    "too long": 400,
    "too many tokens": 400,
    "no key": 401,
}
FIELDS = ("message", "type", "param", "code")
SOURCE = "OpenAI API reference, error codes: status and {error: {message, type, param, code}}; a too long prompt is 400"


@dataclass(frozen=True, slots=True)
class Errors:
    """The answer to each bad request, by its name in STATUS."""

    replies: Mapping[str, Reply]


def observe(site: Site, stage: Stage) -> Errors:
    """Six bad requests, and through the gateway one without its key."""
    context = site.inventory.serving.context_tokens
    body = request(site.inventory, max_tokens=FEW)
    bad: dict[str, dict[str, Any]] = {
        "unknown model": {**body, "model": "no-such"},
        "unknown model, streamed": {**body, "model": "no-such", "stream": True},
        "bad type": {**body, "temperature": "hot"},
        "bad value": {**body, "max_tokens": -1},
        "too long": request(site.inventory, WORD * (context + FEW), max_tokens=FEW),
        "too many tokens": {**body, "max_tokens": context + FEW},
    }
    with served(site, stage) as at:
        replies = {name: ask(at.client, name, asked, expected=STATUS[name]) for name, asked in bad.items()}
        if stage is Stage.LIVE:  # at its own port an engine's answer reaches no client
            replies["no key"] = _keyless(at.client, body)
        return Errors(replies)


def _keyless(client: Client, body: dict[str, Any]) -> Reply:
    asked = {"model": client.model, **body}
    return client.expecting(401, "no key, its error").call("POST", "/v1" + CHAT, json_body=asked, key=False)


def malformed(reply: Reply) -> str:
    """What OpenAI's client would miss in an error's body; "" where nothing is."""
    body = reply.body
    if not isinstance(body, dict):
        return f"the body is no JSON object: {reply.text[:60]!r}"
    error = body.get("error")
    if not isinstance(error, dict):
        return f"`error` is no object: {str(body)[:60]}"
    if missing := [name for name in FIELDS if name not in error]:
        return f"the error has no {', '.join(missing)}"
    if not isinstance(error["message"], str) or not error["message"].strip():
        return "the error has no message"
    return "" if isinstance(error["type"], str) else f"the error's type is {error['type']!r}"


def _part(name: str, reply: Reply) -> Part:
    wanted = STATUS[name]
    if reply.status in NOT_TOLD and reply.status != wanted:
        return check(name, None, f"status {reply.status}: {reply.message[:120]}", expected=wanted)
    if reply.status == 200:
        inside = isinstance(reply.body, dict) and "error" in reply.body
        said = "status 200 with an error in it" if inside else "answered as if nothing were wrong"
        return check(name, False, said, expected=wanted, measured=200)
    if reply.status != wanted:
        return check(
            name, False, f"status {reply.status}: {reply.message[:120]}", expected=wanted, measured=reply.status
        )
    wrong = malformed(reply)
    return check(name, not wrong, wrong or f"{wanted}: {reply.message[:100]}", expected=wanted, measured=reply.status)


def _parts(seen: Errors) -> Iterator[Part]:
    for name, reply in seen.replies.items():
        yield _part(name, reply)


def judge(seen: Errors, inventory: Inventory) -> Finding:
    """Status and shape of each; 200 for a bad request fails whatever stands in it."""
    return finding(
        _parts(seen),
        good=f"{len(seen.replies)} bad requests, each with its status and an error object that says why",
        expected="404 and 400 with an error object; a prompt above the window refused, not cut",
        source=SOURCE,
        value=float(len(seen.replies)),
        unit="bad requests",
    )


ASSUMPTION = Assumption(
    id="error-format",
    guide="K2 Thinking guide §9",
    states="Errors have the status and the body that OpenAI's clients expect, and nothing is cut off in silence.",
    stages=(Stage.STAGING, Stage.LIVE),
    severity=Severity.ADVISORY,
    remedy="Look at the raw record of the part: whatever stands between clients and the engine must hand on its "
    "status and body, and truncation must be off.",
    version=1,
    observe=observe,
    judge=judge,
)
