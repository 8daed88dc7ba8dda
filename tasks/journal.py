"""What runs did on a host, kept on the host: one JSON line an event, on its disk before the next thing happens.

It says what was begun, so that after a crash nobody has to guess; whether it was done is asked of the facts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from shlex import quote
from typing import Any

from tasks.hosts import Host, now

READ_LINES = 2000


class Event(StrEnum):
    """What may happen to a run or a step."""

    PLANNED = "planned"
    BEGUN = "begun"
    DONE = "done"
    FAILED = "failed"
    ADOPTED = "adopted"  # a later run waited for its end
    ABANDONED = "abandoned"  # a later run found that it is over, and its end unknown
    ENDED = "ended"


CLOSING = (Event.DONE, Event.FAILED, Event.ADOPTED, Event.ABANDONED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event.  `step` numbers a run's steps from 1, 0 is the run itself; `at` is the operator's clock, in UTC."""

    at: str
    run: str
    boot: str
    event: Event
    step: int = 0
    operation: str = ""
    why: str = ""
    unit: str = ""
    note: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """Run and step."""
        return self.run, self.step


@dataclass(frozen=True, slots=True)
class Page:
    """The newest entries, oldest first, and how many lines could not be read (a power loss tears the last one)."""

    entries: tuple[Entry, ...]
    torn: int


@dataclass(frozen=True)
class Journal:
    """`<root>/steps.jsonl` as one run at one boot writes it."""

    host: Host
    root: str
    run: str
    boot: str

    def write(self, event: Event, **more: Any) -> None:
        """Append one event, closing a torn line first, and wait until it is on the disk.  `more` as in Entry."""
        entry = Entry(now().isoformat(timespec="seconds"), self.run, self.boot, event, **more)
        self._append(entry)

    def close_for(self, left: Entry, event: Event, note: str) -> None:
        """Note what became of a step that another run left."""
        at = now().isoformat(timespec="seconds")
        self._append(Entry(at, left.run, self.boot, event, left.step, left.operation, left.why, left.unit, note))

    def _append(self, entry: Entry) -> None:
        given = {name: value for name, value in asdict(entry).items() if value not in ("", 0)}
        text = json.dumps(given, ensure_ascii=False) + "\n"
        file = f"{quote(self.root)}/steps.jsonl"
        command = f'[ -z "$(tail -c1 {file} 2>/dev/null)" ] || echo >> {file}; cat >> {file} && sync {file}'
        self.host.run(command, stdin=text).check()


def read(host: Host, root: str) -> Page:
    """The host's newest entries; a host without a journal has none."""
    file = f"{quote(root)}/steps.jsonl"
    said = host.run(f"[ ! -e {file} ] || tail -n {READ_LINES} {file}").check().stdout
    found = [_entry(line) for line in said.splitlines() if line.strip()]
    entries = tuple(entry for entry in found if entry is not None)
    return Page(entries, len(found) - len(entries))


def _entry(line: str) -> Entry | None:
    try:
        told = json.loads(line)
        return Entry(**{**told, "event": Event(told["event"])})
    except (ValueError, TypeError, KeyError):
        return None


def unfinished(entries: Iterable[Entry], run: str) -> tuple[Entry, ...]:
    """Steps of other runs than `run` that were begun, and of whose end nothing is written."""
    begun: dict[tuple[str, int], Entry] = {}
    for entry in entries:
        if entry.event is Event.BEGUN and entry.run != run:
            begun[entry.key] = entry
        elif entry.event in CLOSING:
            begun.pop(entry.key, None)
    return tuple(begun.values())
