"""The watchdog on a host: whether it runs, what it knows, what it did."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from shlex import quote
from typing import Any

from tasks.facts.process import ProcessFact
from tasks.facts.reading import sections, understood
from tasks.releases import Slot

EVENTS = 50


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of the watchdog's events; `why` in its own words, `seconds` of a recovery, the rest of a restart."""

    at: datetime
    event: str
    release: str
    why: str
    seconds: float | None
    health: str
    processes: tuple[str, ...]
    log: str


@dataclass(frozen=True, slots=True)
class WatchState:
    """`at` is when it last said a word; `breaker` says why it is open, empty where it is closed; `mark` its config."""

    mark: str
    at: datetime
    live: Slot | None
    phase: str
    breaker: str
    note: str
    failures: int
    restarts_in_window: int
    last_ok: datetime | None


@dataclass(frozen=True, slots=True)
class Watching:
    """`enabled`: it was set up here and not taken away; `state` None: it has not said a word yet."""

    enabled: bool
    running: bool
    state: WatchState | None
    events: tuple[WatchEvent, ...]
    torn: int  # lines that a power loss left unreadable


@dataclass(frozen=True)
class WatchFact:
    """The Watching of `root`, with its newest events.

    Sample: "@@ process\\nrunning 4711\\n@@ state\\n{"mark": …}\\n@@ events\\n{"at": "2026-…", "event": "restart", …}"
    """

    root: str

    @property
    def command(self) -> str:
        """Its pid file, its state, the end of its events."""
        folder = quote(f"{self.root}/state")
        return (
            f"echo '@@ process'; {ProcessFact(f'{self.root}/run/watch.pid').command}; "
            f"echo '@@ state'; cat {folder}/watch.json 2>/dev/null; "
            f"echo '@@ events'; cat {folder}/watch-events.jsonl.1 {folder}/watch-events.jsonl 2>/dev/null "
            f"| tail -n {EVENTS}"
        )

    @understood
    def parse(self, stdout: str) -> Watching:
        """Three sections."""
        process, state, events = sections(stdout, "process", "state", "events")
        found = ProcessFact("").parse("\n".join(process))
        text = "\n".join(state).strip()
        read = [_event(line) for line in events if line.strip()]
        told = tuple(event for event in read if event)
        return Watching(found.was_started, found.running, _state(text) if text else None, told, len(read) - len(told))


def _state(text: str) -> WatchState:
    try:
        value = _object(text)
        state, at, live = value["state"], datetime.fromisoformat(value["at"]), value["live"]
        age = None if state["last_ok"] is None else float(value["uptime"]) - float(state["last_ok"])
        return WatchState(
            mark=str(value["mark"]),
            at=at,
            live=Slot(str(live["release"]), int(live["port"])) if live else None,
            phase=str(state["phase"]),
            breaker=str(state["breaker"]),
            note=str(state["note"]),
            failures=int(state["failures"]),
            restarts_in_window=int(value["restarts_in_window"]),
            last_ok=None if age is None else at - timedelta(seconds=age),
        )
    except (TypeError, OverflowError):
        raise ValueError("not the watchdog's state") from None


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict) or not isinstance(value.get("state", {}), dict):
        raise ValueError("not an object")
    return value


def _event(line: str) -> WatchEvent | None:
    """None for a line that was torn."""
    try:
        value = _object(line)
        seconds = value.get("seconds")
        return WatchEvent(
            at=datetime.fromisoformat(value["at"]),
            event=str(value["event"]),
            release=str(value.get("release", "")),
            why=str(value.get("why", "")),
            seconds=None if seconds is None else float(seconds),
            health=str(value.get("health", "")),
            processes=tuple(map(str, value.get("processes", ()))),
            log=str(value.get("log", "")),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """Who we are on the host, which Python it has (absolute path, empty: none), and whether systemd booted it."""

    user: str
    python: str
    systemd: bool


@dataclass(frozen=True)
class ServiceManagerFact:
    """The ServiceManager.  Sample: "@@ user\\nops\\n@@ python\\n/usr/bin/python3\\n@@ systemd\\nyes"."""

    command: str = (
        "echo '@@ user'; id -un; echo '@@ python'; command -v python3; "
        "echo '@@ systemd'; if [ -d /run/systemd/system ]; then echo yes; else echo no; fi"
    )

    @understood
    def parse(self, stdout: str) -> ServiceManager:
        """Three sections of a line; Python's may be empty."""
        (user,), python, (systemd,) = sections(stdout, "user", "python", "systemd")
        if systemd not in ("yes", "no") or len(python) > 1 or (python and not python[0].startswith("/")):
            raise ValueError("neither yes nor no, or no path")
        return ServiceManager(user, python[0] if python else "", systemd == "yes")
