"""Asking for tool calls, many at once, and what each answer was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from assumptions._core import Part
from assumptions._parts import check
from assumptions._quality_requests import Request, RequestSet
from inventories.schema import Inventory
from serving.client import Client, NoAnswer

AT_ONCE = 8
MOST_TOKENS = 16_384  # of one answer, thinking included; the vendor's own runs allow 64,000
MARKUP = ("<|tool_call", "<|tool_calls_section")  # Kimi's tokens: in an answer's text they were not understood
TRANSIENT = (0, 408, 429)  # 0: no answer


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer; `valid` None where no tool was called."""

    request: str
    status: int
    message: str
    finish: str
    calls: int
    valid: bool | None
    why: str
    leaked: bool
    forced: bool  # a tool named in the request: OpenAI's API then finishes with "stop"
    wanted: bool | None


@dataclass(frozen=True, slots=True)
class Played:
    """A set's answers."""

    source: str
    sha256: tuple[str, ...]
    turns: tuple[Turn, ...]


def play(client: Client, asked: RequestSet, inventory: Inventory, *, rounds: int = 1, **also: Any) -> Played:
    """Every request `rounds` times, with another seed each, at the vendor's temperature of 1."""
    room = min(MOST_TOKENS, inventory.serving.context_tokens // 2)
    jobs = [(request, n) for n in range(rounds) for request in asked.requests]
    base = {"temperature": 1.0, "top_p": 0.95, "max_tokens": room, **also}
    with ThreadPoolExecutor(min(AT_ONCE, max(1, len(jobs)))) as pool:
        futures = [pool.submit(copy_context().run, _ask, client, request, {"seed": n, **base}) for request, n in jobs]
        return Played(asked.source, asked.sha256, tuple(future.result() for future in futures))


def _ask(client: Client, request: Request, sampling: Mapping[str, Any]) -> Turn:
    body = {**request.body, **sampling}
    try:
        reply = client.expecting(200, f"tools: {request.id}").post("/chat/completions", body, timeout=900)
    except NoAnswer as error:
        return Turn(request.id, 0, str(error)[:200], "", 0, None, "", False, False, request.calls)
    said = reply.body if reply.status == 200 and isinstance(reply.body, dict) else {}
    choice = (said.get("choices") or [{}])[0]
    message = choice.get("message") or {}
    calls = message.get("tool_calls") or []
    faults = [why for call in calls if (why := fault(call, body["tools"]))]
    text = f"{message.get('content') or ''}{message.get('reasoning') or ''}"
    return Turn(
        request=request.id,
        status=reply.status,
        message="" if said else reply.message[:200],
        finish=str(choice.get("finish_reason")),
        calls=len(calls),
        valid=not faults if calls else None,
        why=faults[0][:200] if faults else "",
        leaked=any(mark in text for mark in MARKUP),
        forced=isinstance(body.get("tool_choice"), dict),
        wanted=request.calls,
    )


def fault(call: Mapping[str, Any], tools: Sequence[Mapping[str, Any]]) -> str:
    """Why a call is none that its tool's schema allows; empty where it is one."""
    from jsonschema import ValidationError, validate  # here: a plan needs none of it
    from jsonschema.exceptions import SchemaError

    function = call.get("function") or {}
    schemas = {each["function"]["name"]: each["function"].get("parameters") or {} for each in tools}
    if function.get("name") not in schemas:
        return f"there is no tool called {function.get('name')!r}"
    try:
        arguments = json.loads(function.get("arguments") or "")
    except (ValueError, TypeError):
        return f"its arguments are no JSON: {str(function.get('arguments'))[:80]!r}"
    try:
        validate(arguments, schemas[function["name"]])
    except ValidationError as error:
        return f"{function['name']}: {error.message}"
    except SchemaError:
        return ""  # the request's own schema is at fault
    return ""


def protocol(played: Played) -> Iterator[Part]:
    """Every request taken, every call told as one, and none left as text."""
    name, turns = played.source, played.turns
    gone = [turn for turn in turns if turn.status in TRANSIENT or turn.status >= 500]
    refused = [turn for turn in turns if turn.status != 200 and turn not in gone]
    said = f"{len(turns) - len(gone) - len(refused)} of {len(turns)} answered"
    first = next(iter(refused or gone), None)
    said += f"; {first.request}: {first.status}: {first.message[:120]}" if first else ""
    holds = False if refused else None if gone or not turns else True
    yield check(f"{name}: accepted", holds, said, expected="200", measured=len(turns) - len(gone) - len(refused))
    answered = [turn for turn in turns if turn.status == 200]
    wrong = [turn for turn in answered if turn.leaked or not _agrees(turn)]
    said = "a finish of tool_calls and the calls go together, and no markup is left in the text"
    if wrong:
        one = wrong[0]
        what = "tool-call markup in its text" if one.leaked else f"finish {one.finish!r} with {one.calls} calls"
        said = f"{len(wrong)} of {len(answered)}, the first is {one.request}: {what}"
    yield check(f"{name}: understood", not wrong if answered else None, said, expected="none", measured=len(wrong))


def _agrees(turn: Turn) -> bool:
    return (turn.finish == "tool_calls") == (turn.calls > 0) or (turn.forced and turn.calls > 0)
