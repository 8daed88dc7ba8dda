"""A stream of a chat completion, put together from its raw lines, with what a client can fall over kept apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from assumptions._api import CHAT, NOT_TOLD
from assumptions._core import Part
from assumptions._parts import check
from serving.client import Client, Event, Events

DONE = "[DONE]"
FIELDS = ("reasoning", "reasoning_content")  # vLLM since 0.12 and the official API's later name; vLLM 0.11 and SGLang


@dataclass(frozen=True, slots=True)
class Streamed:
    """What came.  `times` are seconds from the request to each line; `done`: the last line was [DONE].

    `fields` are the names that thinking came under, `usages` how many chunks carried usage (the last one is kept),
    `logprobs` how many tokens had one, `bad` the first line that is no chunk, `said` the body where it was no stream.
    """

    status: int
    times: tuple[float, ...]
    fields: tuple[str, ...]
    thinking: str
    content: str
    finishes: tuple[str, ...]
    calls: tuple[dict[str, Any], ...]
    usage: dict[str, Any] | None
    usages: int
    logprobs: int
    done: bool
    bad: str
    broke: str
    said: str
    seconds: float


def stream(client: Client, purpose: str, body: dict[str, Any]) -> Streamed:
    """One chat completion as a stream."""
    return together(client.expecting(200, purpose).events(CHAT, body))


def together(seen: Events) -> Streamed:
    """Every line read; the first one that is no chunk stands in `bad`, and the rest is read on."""
    made = _Made()
    lines = [event for event in seen.events if event.data != DONE]
    for event in lines:
        made.take(event)
    return Streamed(
        status=seen.status,
        times=tuple(round(event.seconds, 5) for event in seen.events),
        fields=tuple(name for name in FIELDS if name in made.fields),
        thinking=made.thinking,
        content=made.content,
        finishes=tuple(made.finishes),
        calls=tuple(made.calls[index] for index in sorted(made.calls)),
        usage=made.usage,
        usages=made.usages,
        logprobs=made.logprobs,
        done=bool(seen.events) and seen.events[-1].data == DONE,
        bad=made.bad,
        broke=seen.broke,
        said=f"{seen.reply.status}: {seen.reply.message[:160]}" if seen.reply else "",
        seconds=round(seen.seconds, 5),
    )


class _Made:
    def __init__(self) -> None:
        self.fields: set[str] = set()
        self.thinking = self.content = self.bad = ""
        self.finishes: list[str] = []
        self.calls: dict[int, dict[str, Any]] = {}
        self.usage: dict[str, Any] | None = None
        self.usages = self.logprobs = 0

    def take(self, event: Event) -> None:
        try:
            chunk = json.loads(event.data)
            if not isinstance(chunk, dict) or "error" in chunk:
                raise ValueError(event.data)
            if isinstance(chunk.get("usage"), dict):
                self.usage, self.usages = chunk["usage"], self.usages + 1
            for choice in chunk["choices"]:
                self._choice(choice)
        except (ValueError, LookupError, TypeError, AttributeError):
            self.bad = self.bad or event.data[:160] or "(an empty line of data)"

    def _choice(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta") or {}
        self.content += delta.get("content") or ""
        named = next((name for name in FIELDS if delta.get(name)), None)
        if named:
            self.fields |= {name for name in FIELDS if delta.get(name)}
            self.thinking += delta[named]
        self.logprobs += len((choice.get("logprobs") or {}).get("content") or ())
        if choice.get("finish_reason"):
            self.finishes.append(str(choice["finish_reason"]))
        for piece in delta.get("tool_calls") or ():
            call = self.calls.setdefault(piece["index"], {"id": "", "function": {"name": "", "arguments": ""}})
            call["id"] = piece.get("id") or call["id"]
            for part in ("name", "arguments"):
                call["function"][part] += (piece.get("function") or {}).get(part) or ""


def unstreamed(name: str, seen: Streamed, *, expected: object = "a stream", half: bool = False) -> Part | None:
    """The part of what is no stream of chunks, or of one that broke off; None where it is one.

    `half`: the caller judges by itself one that broke off; elsewhere nobody saw what was still to come.
    """
    if seen.status in NOT_TOLD:
        return check(name, None, f"status {seen.said}", expected=expected, measured=seen.status)
    if seen.status != 200 or not seen.times:
        said = f"status {seen.said}" if seen.said else f"status {seen.status}, and no line of data"
        return check(name, False, said + (f"; {seen.broke}" if seen.broke else ""), expected=expected)
    if seen.broke and not half:
        said = f"broke off after {len(seen.times)} lines: {seen.broke}"
        return check(name, None, said, expected="a whole stream")
    if seen.bad:
        return check(name, False, f"a line is no chunk: {seen.bad}", expected=expected)
    return None
