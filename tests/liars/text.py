"""Lies about what the model said."""

from __future__ import annotations

from typing import Any

from tests.liars.exchange import Asked, Lie, said, told_json

WORD = " the"


def _one_word(message: dict[str, Any]) -> None:
    """The same word as often as there were words."""
    for name in ("content", "reasoning", "reasoning_content"):
        if message.get(name):
            message[name] = WORD * max(1, len(message[name].split()))


def _empty(message: dict[str, Any]) -> None:
    if message.get("content"):
        message["content"] = ""


def _silent(message: dict[str, Any]) -> None:
    for name in ("content", "reasoning", "reasoning_content"):
        if message.get(name):
            message[name] = ""
    message.pop("tool_calls", None)


def _leaks(message: dict[str, Any]) -> None:
    """The thinking stands in the content, as without a reasoning parser."""
    thought = message.pop("reasoning", None) or message.pop("reasoning_content", None) or ""
    if thought:
        message["content"] = f"{thought}{message.get('content') or ''}"


def _mark_leaks(message: dict[str, Any]) -> None:
    """The marks of the thinking stand in the content."""
    if message.get("content") and message.get("role") == "assistant":
        message["content"] = f"</think>{message['content']}"


def _dropped(message: dict[str, Any]) -> None:
    for name in ("reasoning", "reasoning_content"):
        if name in message:
            message[name] = None


def _renamed(message: dict[str, Any]) -> None:
    for name in ("reasoning", "reasoning_content"):
        if message.get(name):
            message["thoughts"] = message.pop(name)


def _no_choice(asked: Asked, value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "choices": []}


def _other_finish(before: str, after: str) -> Any:
    def change(asked: Asked, value: dict[str, Any]) -> dict[str, Any]:
        for choice in value.get("choices") or ():
            if choice.get("finish_reason") == before:
                choice["finish_reason"] = after
        return value

    return told_json(change)


LIES = (
    Lie("one-token", "every word of the answer is the same", tell=said(_one_word)),
    Lie("empty-content", "the thinking comes, the answer is empty", tell=said(_empty)),
    Lie(
        "nothing-said", "neither thinking nor answer nor tool call comes, though tokens are counted", tell=said(_silent)
    ),
    Lie("thinking-in-content", "the thinking stands in the content", tell=said(_leaks)),
    Lie("think-mark-in-content", "the mark at the thinking's end stands in the content", tell=said(_mark_leaks)),
    Lie("thinking-dropped", "the thinking is left out", tell=said(_dropped)),
    Lie("thinking-renamed", "the thinking comes in a field that no client reads", tell=said(_renamed)),
    Lie("no-choices", "an answer without a choice", tell=told_json(_no_choice)),
    Lie("stop-called-length", "finish_reason says length where the model ended", tell=_other_finish("stop", "length")),
    Lie("length-called-stop", "finish_reason says stop where the room ended", tell=_other_finish("length", "stop")),
)
