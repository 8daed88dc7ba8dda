"""A root with a live release, as a rollout leaves it, and a real watchdog process beside it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from tasks.facts.base import look
from tasks.facts.process import ProcessFact
from tasks.facts.watch import WatchFact, Watching
from tasks.hosts import SudoRefused
from tasks.local import LocalHost
from tasks.operations.base import converge
from tasks.operations.watch_config import Watch, Watchable, log_end
from tasks.releases import Release, Slot
from tasks.runtimes.process import RUNTIME, log_file, pid_file, service
from tasks.site import Site
from tests.ports import free_port

REPOSITORY = Path(__file__).parents[2]
FAKE = Path(__file__).with_name("fake_engine.py")
KEY = "sk-a-key-that-nobody-may-see"
QUICK = Watch(every_s=0.5, deadline_s=1.5, failures=2, restarts=3, within_s=600, start_budget_s=20)


class Unprivileged(LocalHost):
    """This machine with a user whom sudo refuses, so that no test installs a unit here."""

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Any:
        if sudo:
            raise SudoRefused("refused by the test", where="here", fix="none")
        return super().run(command, timeout=timeout, stdin=stdin)


HOST = Unprivileged("here")


def until(condition: Callable[[], Any], seconds: float, what: str = "") -> float:
    """Seconds until the condition held; AssertionError when it didn't."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if condition():
            return time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what or condition}")


class Scene:
    """`root` and what lives below it."""

    def __init__(self, root: Path, program: str = sys.executable, arguments: tuple[str, ...] | None = None) -> None:
        self.root, self.config = root, QUICK
        self.slot = Slot("aaaaaaaaaaaa", free_port())
        self.mode = root / "mode"
        words = arguments or (str(FAKE), "{port}", str(self.mode))
        self.release = Release(self.slot.release, "vllm fake", "x/y", "0" * 40, str(root), program, words, {})
        for name in ("state", "run", "secrets", f"releases/{self.release.id}"):
            (root / name).mkdir(parents=True, exist_ok=True)
        (root / "secrets/engine.env").write_text(f"VLLM_API_KEY={KEY}\n")
        self.be("ok")
        self.watchdog: subprocess.Popen[bytes] | None = None

    def be(self, mode: str) -> None:
        self.mode.write_text(mode)

    def prepare(self, slots: Mapping[str, Any] | None = None, **changes: Any) -> None:
        """Commands, slots and config on the disk."""
        self.config = replace(self.config, **changes)
        site = cast(Site, SimpleNamespace(head=SimpleNamespace(root=str(self.root))))
        words = RUNTIME.words(site, self.release, self.slot)
        log = log_end(log_file(str(self.root), self.slot))
        budget = self.config.start_budget_s
        converge(HOST, Watchable(str(self.root), self.release, self.slot, words, budget, log))
        live = {"release": self.slot.release, "port": self.slot.port}
        self.write_slots(slots or {"live": live, "candidate": None, "previous": None})
        (self.root / "watch.json").write_text(self.config.text(str(self.root), "testmark"))

    def write_slots(self, slots: Mapping[str, Any]) -> None:
        (self.root / "state/slots.json").write_text(json.dumps(slots))

    def start_engine(self) -> None:
        converge(HOST, service(str(self.root), self.release, self.slot))

    def start_watchdog(self) -> None:
        command = [sys.executable, "-m", "tasks.remote.watch", str(self.root / "watch.json")]
        with (self.root / "watchdog.log").open("ab") as log:
            self.watchdog = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log)

    def stop_watchdog(self) -> None:
        if self.watchdog:
            self.watchdog.kill()
            self.watchdog.wait()
            self.watchdog = None

    def look(self) -> Watching:
        return look(HOST, WatchFact(str(self.root)))

    def events(self) -> list[dict[str, Any]]:
        file = self.root / "state/watch-events.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def told(self) -> list[str]:
        return [event["event"] for event in self.events()]

    def pid(self) -> int | None:
        return look(HOST, ProcessFact(pid_file(str(self.root), self.slot))).pid

    def answered(self) -> bool:
        """Since the newest start."""
        state = self.look().state
        return bool(state and state.phase == "serving" and state.failures == 0)

    def await_answer(self, seconds: float = 20) -> None:
        until(self.answered, seconds, "the watchdog has had a completion")

    def worker(self) -> int:
        """The fake engine's worker."""
        return int((self.root / f"worker-{self.slot.port}").read_text())

    def close(self) -> None:
        """End what was started, by its number."""
        self.stop_watchdog()
        for file in (self.root / "run").glob("engine-*.pid"):
            pid = look(HOST, ProcessFact(str(file))).pid
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)


@contextlib.contextmanager
def scene(root: Path, **given: Any) -> Iterator[Scene]:
    """A scene that leaves nothing running."""
    made = Scene(root, **given)
    try:
        yield made
    finally:
        made.close()
