"""One question and one answer on their way through a liar."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

JSON_TYPE, EVENTS_TYPE = "application/json", "text/event-stream"
END = "[DONE]"
HELD = float("inf")  # the gap of an event that never comes: the connection stays open and silent


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the client sent it; header names are in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON body; {} where there is none."""
        try:
            read = json.loads(self.body)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    @property
    def generates(self) -> bool:
        """Whether it asks the model for text."""
        return self.method == "POST" and self.path.startswith(("/v1/chat/completions", "/v1/completions"))

    def but(self, **changes: Any) -> Asked:
        """With fields of the body changed; None takes one away."""
        merged = {**self.fields, **changes}
        return replace(self, body=json.dumps({k: v for k, v in merged.items() if v is not None}).encode())


@dataclass(frozen=True, slots=True)
class Event:
    """One `data:` line of a stream, `gap_s` after the one before."""

    gap_s: float
    data: str


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: a whole body, or a stream's events."""

    status: int
    body: bytes = b""
    kind: str = JSON_TYPE
    events: tuple[Event, ...] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False  # the connection ends before the announced length was sent

    @property
    def fields(self) -> Any:
        """The JSON body; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @classmethod
    def of(cls, status: int, value: Any) -> Told:
        """A JSON answer."""
        return cls(status, json.dumps(value).encode())


Ask = Callable[[Asked], "Asked | Told"]
Tell = Callable[[Asked, Told], "Told | None"]


def _as_asked(asked: Asked) -> Asked | Told:
    return asked


def _as_told(asked: Asked, told: Told) -> Told | None:
    return told


@dataclass(frozen=True)
class Lie:
    """What is changed: `ask` on the way there (or an answer of its own), `tell` on the way back (None: hang up)."""

    name: str
    says: str
    ask: Ask = _as_asked
    tell: Tell = _as_told
    delay_s: float = 0.0
    deadline_s: float | None = None  # the client waits no longer than this; None: as long as the claim does

    @property
    def live(self) -> bool:
        """Whether a stream may pass as it comes: nothing is changed in it."""
        return self.tell is _as_told


def both(right: Lie, lie: Lie) -> Lie:
    """`lie` on top of what `right` sets right."""

    def ask(asked: Asked) -> Asked | Told:
        meant = lie.ask(asked)
        return meant if isinstance(meant, Told) else right.ask(meant)

    def tell(asked: Asked, told: Told) -> Told | None:
        first = right.tell(asked, told)
        return None if first is None else lie.tell(asked, first)

    return replace(lie, ask=ask, tell=tell if right.tell is not _as_told else lie.tell)


HONEST = Lie("none", "everything is passed on as it is")


def told_json(change: Callable[[Asked, dict[str, Any]], dict[str, Any] | None]) -> Tell:
    """A change of every JSON object that generated text comes in: the whole answer, or each event of a stream."""

    def tell(asked: Asked, told: Told) -> Told | None:
        if not asked.generates or told.status != 200:
            return told
        if told.events is None:
            value = told.fields
            new = change(asked, value) if isinstance(value, dict) else value
            return replace(told, body=json.dumps(new).encode())
        return replace(told, events=tuple(_events(asked, told.events, change)))

    return tell


def _events(
    asked: Asked, events: tuple[Event, ...], change: Callable[[Asked, dict[str, Any]], dict[str, Any] | None]
) -> list[Event]:
    changed = []
    for event in events:
        if event.data == END:
            changed.append(event)
        elif (new := change(asked, json.loads(event.data))) is not None:
            changed.append(replace(event, data=json.dumps(new)))
    return changed


def said(change: Callable[[dict[str, Any]], None]) -> Tell:
    """A change, in place, of each choice's message or delta."""

    def each(asked: Asked, value: dict[str, Any]) -> dict[str, Any]:
        for choice in value.get("choices") or ():
            for name in ("message", "delta"):
                if isinstance(choice.get(name), dict):
                    change(choice[name])
        return value

    return told_json(each)


def choices(change: Callable[[dict[str, Any]], None]) -> Tell:
    """A change, in place, of each choice."""

    def each(asked: Asked, value: dict[str, Any]) -> dict[str, Any]:
        for choice in value.get("choices") or ():
            change(choice)
        return value

    return told_json(each)


def usage(change: Callable[[dict[str, Any]], None]) -> Tell:
    """A change, in place, of what is said of the tokens that were used."""

    def each(asked: Asked, value: dict[str, Any]) -> dict[str, Any]:
        if isinstance(value.get("usage"), dict):
            change(value["usage"])
        return value

    return told_json(each)


def on(path: str, change: Callable[[Asked, Told], Told | None]) -> Tell:
    """A change of one route's answer."""

    def tell(asked: Asked, told: Told) -> Told | None:
        return change(asked, told) if asked.path.partition("?")[0] == path else told

    return tell
