"""What the watchdog is told: its limits from the inventory, and the commands for each release it may start."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from shlex import quote
from typing import Any

from inventories.schema import Inventory
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.gateway_state import ask_loaded
from tasks.facts.text_file import TextFile
from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.files import File, Folder
from tasks.operations.gateway_words import NginxWords
from tasks.releases import Release, Slot
from tasks.runtimes.base import EngineWords

ENV_FILE = "secrets/engine.env"  # below the root


@dataclass(frozen=True, slots=True)
class Companion:
    """Something that must run beside the engine, after a reboot too: shell commands to start it and to ask for it.

    `log` is a file of its that grows for ever, `reopen` the command after which it writes to that name anew.
    """

    name: str
    start: str
    alive: str
    log: str = ""
    reopen: str = ""

    @staticmethod
    def gateway(folder: str, words: NginxWords) -> Companion:
        """The gateway's nginx, by what it says over its control socket; a stale pid file says nothing."""
        alive = f'[ -n "$({ask_loaded(folder)})" ]'
        return Companion("gateway", words.start, alive, f"{folder}/access.log", words.reopen)


@dataclass(frozen=True)
class Watch:
    """`serving.watch` with what the runtime adds.  Seconds; `start_budget_s` where a release names none of its own.

    `key_name`: the variable in the engine's env file that holds its API key.  `in_place`: a candidate that runs has
    the host to itself.  `begins_itself`: the runtime starts an engine again that exited (Docker).  `as_root`: its
    commands need root.
    """

    every_s: float = 30
    deadline_s: float = 120
    failures: int = 2
    restarts: int = 3
    within_s: float = 3600
    start_budget_s: float = 1800
    key_name: str = "VLLM_API_KEY"
    in_place: bool = False
    begins_itself: bool = False
    as_root: bool = False
    companions: tuple[Companion, ...] = ()

    @staticmethod
    def of(inventory: Inventory, start_budget_s: float, companions: tuple[Companion, ...] = ()) -> Watch:
        """As the inventory declares."""
        serving, compose = inventory.serving, inventory.serving.runtime == "compose"
        return Watch(
            **serving.watch.model_dump(exclude={"enabled"}),
            start_budget_s=start_budget_s,
            key_name=engine(inventory.engine.kind).key_variable,
            in_place=serving.mode == "in-place",
            begins_itself=compose,
            as_root=compose,
            companions=companions,
        )

    def text(self, root: str, mark: str) -> str:
        """The JSON file that tasks/remote/watch.py reads; it holds no secret, only where one lies."""
        limits = ("failures", "restarts", "within_s", "start_budget_s", "begins_itself")
        value = {
            "root": root,
            "mark": mark,
            "every_s": self.every_s,
            "deadline_s": self.deadline_s,
            "limits": {**{name: getattr(self, name) for name in limits}, "pause_s": self.every_s},
            "in_place": self.in_place,
            "env_file": f"{root}/{ENV_FILE}",
            "key_name": self.key_name,
            "companions": [asdict(each) for each in self.companions],
        }
        return json.dumps(value, indent=1) + "\n"


@dataclass(frozen=True)
class Watchable:
    """The watchdog knows how to start, kill and find `release` in `slot`; written before the release is live.

    `log`: shell command that prints the end of the engine's log.
    """

    root: str
    release: Release
    slot: Slot
    words: EngineWords
    start_budget_s: float
    log: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For a person."""
        return f"commands of release {self.release.id} for the watchdog"

    def plan(self, host: Host) -> Iterator[Step]:
        """One file."""
        folder = f"{self.root}/releases/{self.release.id}"
        yield from Folder(folder).plan(host)
        value = {
            **asdict(self.words),
            "start_budget_s": self.start_budget_s,
            "log": self.log,
            # A plain completion: logprobs would show a kernel's NaN, and goes through code that vLLM compiles at its
            # first use, which ends the engine in an image without a C++ compiler.
            "extra": dict(self.extra),
        }
        text = json.dumps(value, indent=1) + "\n"
        yield from File(f"{folder}/watch-{self.slot.port}.json", text, what="the watchdog's commands").plan(host)


@dataclass(frozen=True)
class NotWatchable:
    """The watchdog has no commands for a release in a slot, so it starts nothing there."""

    root: str
    slot: Slot

    @property
    def name(self) -> str:
        """For a person."""
        return f"no commands of release {self.slot.release} for the watchdog"

    def plan(self, host: Host) -> Iterator[Step]:
        """Take those of another launcher away."""
        file = f"{self.root}/releases/{self.slot.release}/watch-{self.slot.port}.json"
        if look(host, TextFile(file)) is not None:
            yield Step("take the watchdog's commands away: it can't start ranks on other hosts", f"rm -f {quote(file)}")


def log_end(path: str, lines: int = 20) -> str:
    """The `log` of a release whose log is a file."""
    return f"tail -n {lines} {quote(path)}"
