"""Child processes of the tests: their output in files, stopped by pid however a test ends."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
CHECKOUT = Path(__file__).parents[2]


def until(what: str, look: Callable[[], T | None], *, seconds: float, every: float = 0.3) -> T:
    """What `look` gives once it gives something true; fails with `what` when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(every)
    return found


@dataclass(frozen=True)
class Ended:
    """A finished child."""

    command: str
    code: int
    out: str
    err: str

    @property
    def told(self) -> Any:
        """What --json printed."""
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"{self.command}: exit {self.code}\n--- stdout\n{self.out[-6000:]}\n--- stderr\n{self.err[-6000:]}"


class Child:
    """One running child in a session of its own."""

    def __init__(self, command: list[str], env: Mapping[str, str], logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        number = len(list(logs.glob("*.err")))
        name = f"{number:03d}-{'-'.join(word.strip('-') for word in command[1:3]).replace('/', '_')}"
        self.command = " ".join(command)
        self._out, self._err = logs / f"{name}.out", logs / f"{name}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command, cwd=CHECKOUT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )

    @property
    def err(self) -> str:
        """What it has said on stderr so far."""
        return self._err.read_text(errors="replace")

    @property
    def out(self) -> str:
        """What it has said on stdout so far."""
        return self._out.read_text(errors="replace")

    def wait(self, seconds: float) -> Ended:
        """Its end; one that takes longer is killed."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -9
        return Ended(self.command, code, self.out, self.err)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Its whole group at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)

    def stop(self) -> None:
        """Asked first, then killed."""
        if self.process.poll() is None:
            self.kill(signal.SIGTERM)
        self.kill()
