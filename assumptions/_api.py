"""What the claims about the served API share: asking, and reading what came without believing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assumptions._core import Part
from assumptions._parts import check
from assumptions._served import ABSENT
from inventories.figures import model
from inventories.schema import Inventory
from serving.client import Client, Reply

CHAT = "/chat/completions"
PROMPT = "Say one sentence."
ROOM = 1_024  # tokens for the answer behind the thinking
THOUGHTS, FEW_THOUGHTS = 1_000, 8  # thinking tokens allowed: guide §5.1's least; the rehearsal's model thinks 96
NOT_TOLD = (401, 403, 408, 429, *ABSENT)  # the key, the rate limit, or nothing behind the gateway: not the model's word
TINY = "the rehearsal's hand-made checkpoint is not the model that the claim is about"
OPENAI = "OpenAI API reference, chat completions"


def rehearsed(inventory: Inventory) -> bool:
    """Whether the model is the hand-made one, which has a protocol and no knowledge."""
    return inventory.kind == "rehearsal"


def thoughts(inventory: Inventory) -> int:
    """A thinking budget that brings the answer soon."""
    return FEW_THOUGHTS if rehearsed(inventory) else THOUGHTS


def splits_thinking(inventory: Inventory) -> bool:
    """Whether the engine is told how this model thinks; one that is not refuses a thinking budget."""
    return bool(inventory.engine.options.get("reasoning_parser") or model(inventory.model.catalog).reasoning_parser)


def request(inventory: Inventory, text: str = PROMPT, **body: Any) -> dict[str, Any]:
    """One question at temperature 0 with little thinking; `body` adds and overrides, None takes a field out."""
    budget = thoughts(inventory)
    asked = {
        "messages": [{"role": "user", "content": text}],
        "temperature": 0,
        "thinking_token_budget": budget,
        "max_tokens": min(budget + ROOM, inventory.serving.context_tokens // 2),
        **body,
    }
    if not splits_thinking(inventory):
        asked["thinking_token_budget"] = None
    return {name: value for name, value in asked.items() if value is not None}


def ask(client: Client, purpose: str, body: dict[str, Any], *, expected: int = 200) -> Reply:
    """One chat completion, as the server answers it."""
    return client.expecting(expected, purpose).post(CHAT, body)


def token(client: Client, text: str) -> int:
    """The id of a text that is one token; the engine's own port answers this, a gateway does not."""
    body = {"model": client.model, "prompt": text}
    reply = client.expecting(200, f"the token of {text!r}").call("POST", "/tokenize", json_body=body, key=True)
    (found,) = reply.body["tokens"]
    return int(found)


def trouble(reply: Reply) -> tuple[bool | None, str] | None:
    """None for a completion; else what an outcome it makes (None: not the model's word), and why."""
    if reply.status in NOT_TOLD:
        return None, f"status {reply.status}: {reply.message[:160]}"
    if reply.status != 200:
        return False, f"status {reply.status}: {reply.message[:160]}"
    body = reply.body if isinstance(reply.body, dict) else {}
    if "error" in body:
        return False, f"status 200 with an error in it: {reply.message[:160]}"
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(first.get("message"), dict):
        return False, f"status 200, and no completion in it: {reply.text[:80]!r}"
    return None


def unusable(name: str, reply: Reply, *, expected: object = "a completion") -> Part | None:
    """The part of an answer that is no completion; None where it is one."""
    found = trouble(reply)
    return None if found is None else check(name, found[0], found[1], expected=expected, measured=reply.status)


def message(reply: Reply) -> dict[str, Any]:
    """The first choice's message; {} where there is none."""
    try:
        found = reply.body["choices"][0]["message"]
    except (LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def choice(reply: Reply) -> dict[str, Any]:
    """The first choice; {} where there is none."""
    try:
        found = reply.body["choices"][0]
    except (LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def content(reply: Reply) -> str:
    """The answer's text; "" where it is none."""
    return _text(message(reply).get("content"))


def thinking(reply: Reply) -> str:
    """The thinking under either name."""
    said = message(reply)
    return _text(said.get("reasoning")) or _text(said.get("reasoning_content"))


def finish(reply: Reply) -> str | None:
    """Why it ended."""
    return choice(reply).get("finish_reason")


def usage(reply: Reply, *names: str) -> int | None:
    """A count of `usage`, by its path; None where it is no count."""
    found: Any = reply.body.get("usage") if isinstance(reply.body, dict) else None
    return counted(found, *names)


def counted(found: Any, *names: str) -> int | None:
    """An integer below `found`, by its path."""
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def spent(reply: Reply) -> int | None:
    """Thinking tokens, as usage says."""
    return usage(reply, "completion_tokens_details", "reasoning_tokens")


def first_unusable(replies: Sequence[tuple[str, Reply]]) -> Part | None:
    """The first of several answers that is no completion."""
    return next((part for name, reply in replies if (part := unusable(name, reply)) is not None), None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
