"""Lies about streams."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.liars.exchange import END, HELD, Asked, Event, Lie, Told

HELD_BACK_S = 2.0  # what a buffer keeps a whole answer back for
DEADLINE_S = 6.0  # what a client waits for the next event where the stream is frozen


def _events(told: Told) -> list[Event] | None:
    return None if told.events is None or told.status != 200 else list(told.events)


def _frozen(asked: Asked, told: Told) -> Told | None:
    events = _events(told)
    if events is None:
        return told
    return replace(told, events=(*events[: max(1, len(events) // 2)], Event(HELD, "")))


def _broken(asked: Asked, told: Told) -> Told | None:
    """The connection ends half-way, without the end of the chunks."""
    events = _events(told)
    if events is None:
        return told
    half = events[: len(events) // 2]
    return replace(told, events=(*half, Event(0.0, '{"choices": [{"index": 0, "delta": {"conte')))


def _unended(asked: Asked, told: Told) -> Told | None:
    events = _events(told)
    return told if events is None else replace(told, events=tuple(event for event in events if event.data != END))


def _half(asked: Asked, told: Told) -> Told | None:
    """Half of the text is lost; the stream's end is as it was."""
    events = _events(told)
    if events is None:
        return told
    texts = [n for n, event in enumerate(events) if _text(event)]
    lost = set(texts[len(texts) // 2 :])
    return replace(told, events=tuple(event for n, event in enumerate(events) if n not in lost))


def _text(event: Event) -> str:
    if event.data == END:
        return ""
    deltas = [choice.get("delta") or {} for choice in json.loads(event.data).get("choices") or ()]
    return "".join(str(delta.get("content") or "") + str(delta.get("reasoning") or "") for delta in deltas)


def _lump(asked: Asked, told: Told) -> Told | None:
    """All text in one event, after the time that it took to make all of it."""
    events = _events(told)
    if events is None:
        return told
    values = [json.loads(event.data) for event in events if event.data != END]
    whole: dict[str, Any] = {}
    for value in values:
        for choice in value.get("choices") or ():
            whole = _merged(whole, choice)
    last = values[-1] if values else {}
    wait = sum(event.gap_s for event in events)
    one = {**values[0], "choices": [whole], "usage": last.get("usage")} if values else {}
    return replace(told, events=(Event(wait, json.dumps(one)), Event(0.0, END)))


def _merged(whole: dict[str, Any], choice: dict[str, Any]) -> dict[str, Any]:
    delta, more = dict(whole.get("delta") or {}), choice.get("delta") or {}
    for name, value in more.items():
        both = isinstance(value, str) and isinstance(delta.get(name), str) and name != "role"
        delta[name] = delta[name] + value if both else value if value is not None else delta.get(name)
    finish = choice.get("finish_reason") or whole.get("finish_reason")
    return {**choice, "delta": delta, "finish_reason": finish}


def _at_once(asked: Asked, told: Told) -> Told | None:
    """Every event as it was, all of them at the very end."""
    events = _events(told)
    if events is None or not events:
        return told
    wait = max(HELD_BACK_S, sum(event.gap_s for event in events))
    first, *rest = events
    return replace(told, events=(replace(first, gap_s=wait), *(replace(each, gap_s=0.0) for each in rest)))


def _no_usage(asked: Asked, told: Told) -> Told | None:
    events = _events(told)
    if events is None:
        return told
    return replace(told, events=tuple(e for e in events if e.data == END or not json.loads(e.data).get("usage")))


def _error_inside(asked: Asked, told: Told) -> Told | None:
    events = _events(told)
    if events is None:
        return told
    said = {"error": {"message": "EngineCore encountered an issue", "type": "InternalServerError", "code": 500}}
    return replace(told, events=(*events[: len(events) // 2], Event(0.0, json.dumps(said)), Event(0.0, END)))


LIES = (
    Lie("frozen-stream", "a stream stops half-way and stays open", tell=_frozen, deadline_s=DEADLINE_S),
    Lie("broken-stream", "a stream ends in the middle of an event", tell=_broken),
    Lie("no-done", "a stream ends without [DONE]", tell=_unended),
    Lie("half-streamed", "half of a stream's text is lost", tell=_half),
    Lie("one-lump", "a stream is one event at the end", tell=_lump),
    Lie("at-once", "a stream's events all come at the end", tell=_at_once),
    Lie("stream-without-usage", "a stream does not tell what it used", tell=_no_usage),
    Lie("error-in-stream", "an error comes in the middle of a stream, and its end after it", tell=_error_inside),
)
