"""Lies about tool calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.liars.exchange import Asked, Lie, said
from tests.liars.requests import without


def _calls(change: Callable[[dict[str, Any]], None]) -> Any:
    """A change of each call's function, whole answers and streams alike."""

    def each(message: dict[str, Any]) -> None:
        for call in message.get("tool_calls") or ():
            if isinstance(call.get("function"), dict):
                change(call["function"])

    return said(each)


def _cut(function: dict[str, Any]) -> None:
    function["arguments"] = (function.get("arguments") or "").rstrip("}")


def _arguments(function: dict[str, Any]) -> dict[str, Any] | None:
    """None for a piece of a stream, which is no object by itself."""
    try:
        found = json.loads(function.get("arguments") or "")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _more(function: dict[str, Any]) -> None:
    if (arguments := _arguments(function)) is None:
        return
    function["arguments"] = json.dumps({**arguments, "unasked": True})


def _texts(function: dict[str, Any]) -> None:
    """Numbers as texts."""
    if (arguments := _arguments(function)) is None:
        return
    as_text = {name: str(value) if isinstance(value, (int, float)) else value for name, value in arguments.items()}
    function["arguments"] = json.dumps(as_text)


def _other(function: dict[str, Any]) -> None:
    if function.get("name"):
        function["name"] = "no_such_tool"


def _in_content(message: dict[str, Any]) -> None:
    """The call stands in the content as text, as without a tool parser."""
    calls = message.pop("tool_calls", None)
    if calls:
        message["content"] = json.dumps(calls)


def _first(message: dict[str, Any]) -> None:
    if message.get("tool_calls"):
        message["tool_calls"] = message["tool_calls"][:1]


def _auto(asked: Asked) -> Asked:
    """A forced tool is the model's own choice."""
    return asked.but(tool_choice="auto") if asked.fields.get("tool_choice") not in (None, "auto", "none") else asked


LIES = (
    Lie("tool-arguments-cut", "a call's arguments lack their last bracket", tell=_calls(_cut)),
    Lie("tool-argument-added", "a call has an argument that its schema forbids", tell=_calls(_more)),
    Lie("tool-numbers-as-text", "a call's numbers are texts", tell=_calls(_texts)),
    Lie("tool-renamed", "a call names a tool that nobody offered", tell=_calls(_other)),
    Lie("tool-in-content", "a call comes as text", tell=said(_in_content)),
    Lie("one-call-alone", "of several calls only the first comes", tell=said(_first)),
    Lie("tool-choice-ignored", "a forced tool is not forced", ask=_auto),
    Lie("parallel-ignored", "parallel_tool_calls never reaches the engine", ask=without("parallel_tool_calls")),
    Lie("tool-choice-lost", "tool_choice never reaches the engine", ask=without("tool_choice")),
)
