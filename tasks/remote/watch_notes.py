"""Runs on the host: what the watchdog remembers, and what it tells.  Python 3.9 and later.

A disk that is full keeps neither; the watchdog goes on all the same, and says so on stderr.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

from tasks.remote import watch_host as host
from tasks.remote.watch_rules import State

Slot = Optional[dict[str, Any]]  # noqa: UP045 - evaluated where `X | None` is not known yet


class Notes:
    """`state/watch.json` and `state/watch-events.jsonl` below the config's root."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.folder = config, Path(config["root"]) / "state"
        self.boot = host.boot_id()

    @property
    def key(self) -> str:
        """The engine's API key; read each time, since keys are rotated."""
        return host.secret(Path(self.config["env_file"]), self.config["key_name"])

    def tell(self, event: str, live: Slot = None, **more: Any) -> None:
        """One event on the disk, without the key."""
        key = self.key
        told = {"at": host.wall(), "event": event, **(live or {}), **more}
        clean = {name: _without(value, key) for name, value in told.items()}
        with _going_on():
            host.append_event(self.folder / "watch-events.jsonl", clean)

    def save(self, live: Slot, state: State) -> None:
        """What facts read, and the next watchdog."""
        now = host.uptime()
        recent = [at for at in state.restarts if now - self.config["limits"]["within_s"] < at]
        value = {
            "mark": self.config["mark"],
            "pid": os.getpid(),
            "at": host.wall(),
            "boot": self.boot,
            "uptime": round(now, 1),
            "live": live,
            "restarts_in_window": len(recent),
            "state": {**asdict(state), "note": _without(state.note, self.key)},
        }
        with _going_on():
            host.replace_text(self.folder / "watch.json", json.dumps(value, indent=1) + "\n")

    def remembered(self) -> tuple[Slot, State]:
        """Where another watchdog left off; after a reboot only an open breaker and what was live count."""
        kept, fresh = host.read_json(self.folder / "watch.json"), State(since=host.uptime())
        with contextlib.suppress(TypeError, KeyError):
            state = State(**{**kept["state"], "restarts": tuple(kept["state"]["restarts"])})
            if kept["boot"] == self.boot:
                return kept["live"], state
            self.tell("the host has restarted", kept["live"])
            return kept["live"], State(since=fresh.since, breaker=state.breaker)
        return None, fresh

    def asked_to_reset(self) -> bool:
        """Whether a person asked to close the breaker."""
        return (self.folder / "watch-reset").exists()

    def reset_done(self) -> None:
        """Forget that it was asked."""
        with _going_on():
            (self.folder / "watch-reset").unlink()


@contextlib.contextmanager
def _going_on() -> Any:
    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):  # without a unit stderr is a file on that same disk
            print(f"{host.wall()} could not write: {error}", file=sys.stderr, flush=True)


def _without(value: Any, key: str) -> Any:
    if isinstance(value, str):
        return value.replace(key, "[key]") if key else value
    return [_without(each, key) for each in value] if isinstance(value, list) else value
