"""A world of one tool: each key leads to the next, and the last one to a word.  It never answers otherwise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.client import Client, NoAnswer

TOOL = {
    "type": "function",
    "function": {
        "name": "follow",
        "description": "Says which key comes after the given one.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"key": {"type": "string"}},
            "required": ["key"],
            "additionalProperties": False,
        },
    },
}
ASKED = (
    "Follow a chain of keys with the tool `follow`: it gives you the next key, or at the end a word. Begin with the "
    "key {first}. Call it once at a time, always with the key that it gave you last, until it gives you the word. "
    "Don't stop before that and don't ask me anything. Then answer with that word alone."
)


@dataclass(frozen=True, slots=True)
class Chain:
    """One walk: right calls in a row from the first, turns that were taken, and what ended it."""

    steps: int  # keys of the chain
    right: int
    turns: int
    ended: str  # word: it gave the word; else what went wrong first
    status: int
    broken: str  # what of the protocol did not hold, empty where all of it did
    answer: str = ""


def key(seed: int, step: int) -> str:
    """The key at a place: nobody can guess it from those before."""
    return "k" + hashlib.sha256(f"chain {seed} {step}".encode()).hexdigest()[:8]


def walk(client: Client, seed: int, steps: int, *, forced: bool, most_tokens: int, budget: int) -> Chain:
    """Until the word, a wrong call, or a turn without one.  `forced`: `steps` turns, whatever the arguments are."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": ASKED.format(first=key(seed, 0))}]
    choice = {"type": "function", "function": {"name": "follow"}} if forced else "auto"
    body = {"tools": [TOOL], "tool_choice": choice, "max_tokens": most_tokens, "thinking_token_budget": budget}
    sampling = {"temperature": 0.0 if forced else 1.0, "top_p": 0.95, "seed": seed}
    for step in range(steps + 1):
        if forced and step == steps:
            return Chain(steps, 0, step, "as many turns as were asked for", 200, "")
        try:
            reply = client.expecting(200, f"chain {seed}, turn {step + 1}").post(
                "/chat/completions", {"messages": messages, **body, **sampling}, timeout=600
            )
        except NoAnswer as error:
            return Chain(steps, step, step, f"no answer: {error}"[:200], 0, "")
        if reply.status != 200:
            return Chain(steps, step, step, f"{reply.status}: {reply.message[:160]}", reply.status, "refused")
        message = reply.body["choices"][0]["message"]
        calls = message.get("tool_calls") or []
        if not calls:
            return _said(seed, steps, step, message)
        wrong, broken = _wrong(calls, key(seed, step))
        if broken or (wrong and not forced):
            return Chain(steps, step, step + 1, wrong or broken, 200, broken)
        told = f"word: {key(seed, steps)}" if step + 1 == steps else f"next: {key(seed, step + 1)}"
        messages += [_back(message), {"role": "tool", "tool_call_id": calls[0]["id"], "content": told}]
    return Chain(steps, steps, steps + 1, "went on calling after the word", 200, "")


def _said(seed: int, steps: int, step: int, message: Mapping[str, Any]) -> Chain:
    text = str(message.get("content") or "")
    if step == steps and key(seed, steps) in text:
        return Chain(steps, step, step + 1, "word", 200, "", text[:200])
    ended = "no word in its answer" if step == steps else "it stopped calling"
    return Chain(steps, step, step + 1, ended, 200, "", text[:200])


def _wrong(calls: list[Mapping[str, Any]], wanted: str) -> tuple[str, str]:
    """Why a turn's call is not the wanted one, and what of the protocol it breaks."""
    function = calls[0].get("function") or {}
    try:
        arguments = json.loads(function.get("arguments") or "")
    except ValueError:
        return "", f"arguments are no JSON: {str(function.get('arguments'))[:80]!r}"
    if not calls[0].get("id"):
        return "", "a call without an id"
    if function.get("name") != "follow" or not isinstance(arguments, dict) or set(arguments) != {"key"}:
        return f"called {function.get('name')} with {str(arguments)[:80]}", ""
    if len(calls) > 1:
        return f"{len(calls)} calls in one turn", ""
    return ("", "") if arguments["key"] == wanted else (f"called with {str(arguments['key'])[:40]!r}, not {wanted}", "")


def _back(message: Mapping[str, Any]) -> dict[str, Any]:
    """The turn as it goes back: the model expects its own thinking between tool calls."""
    kept = {"role": "assistant", "content": message.get("content") or "", "tool_calls": message["tool_calls"]}
    thinking = message.get("reasoning") or message.get("reasoning_content")
    return {**kept, "reasoning": thinking, "reasoning_content": thinking} if thinking else kept
