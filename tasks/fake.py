"""A host that only knows what it was told: a strict double for tests and replays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tasks.hosts import Ran, now

Answer = Ran | str | Exception
Script = Mapping[str, "Answer | list[Answer]"]
_OPTIONAL = {"seconds"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of `run`, as the caller made it."""

    command: str
    stdin: str | None
    sudo: bool
    timeout: float


class FakeHost:
    """Answers exactly the scripted commands: a Ran, a stdout with exit status 0, or an exception to raise.

    A list is consumed in order; any other answer is given each time.  Everything unscripted is an AssertionError.
    `forwards` maps a port on the host to the local one that `forward` gives.
    """

    def __init__(self, name: str, script: Script, *, forwards: Mapping[int, int] | None = None) -> None:
        self.name = name
        self._script = {command: list(a) if isinstance(a, list) else a for command, a in script.items()}
        self._forwards = dict(forwards or {})
        self.calls: list[Asked] = []
        self.closed = False

    @classmethod
    def from_recording(cls, path: Path, name: str | None = None) -> FakeHost:
        """Replay JSON Lines with the fields of Ran (others are ignored).

        A command recorded more than once answers in that order; one recorded once gives its answer each time.
        """
        script: dict[str, Answer | list[Answer]] = {}
        recorded: dict[str, list[Answer]] = {}
        host = name
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.strip():
                ran = _ran(json.loads(line), f"{path}:{number}")
                host = host or ran.host
                recorded.setdefault(ran.command, []).append(replace(ran, host=host))
        if host is None:
            raise ValueError(f"{path}: nothing is recorded here")
        for command, answers in recorded.items():
            script[command] = answers if len(answers) > 1 else answers[0]
        return cls(host, script)

    @property
    def asked(self) -> list[str]:
        """Every command so far, in order."""
        return [call.command for call in self.calls]

    def stdin_of(self, command: str) -> str | None:
        """What the last call of `command` sent on stdin."""
        for call in reversed(self.calls):
            if call.command == command:
                return call.stdin
        raise AssertionError(f"{self.name} was never asked: {command}")

    def unused(self) -> list[str]:
        """Scripted commands that were never asked, and lists with answers left."""
        left = [c for c, answer in self._script.items() if isinstance(answer, list) and answer]
        never = [c for c in self._script if c not in set(self.asked)]
        return list(dict.fromkeys(never + left))

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        """Give the scripted answer, or raise it."""
        answer = self._answer(command)
        self.calls.append(Asked(command, stdin, sudo, timeout))
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return Ran(self.name, command, 0, answer, "", now())
        return answer

    @contextmanager
    def forward(self, port: int) -> Iterator[int]:
        """The local port that was given for `port`."""
        if port not in self._forwards:
            raise AssertionError(f"{self.name}: port {port} is not scripted; ports are {sorted(self._forwards)}")
        yield self._forwards[port]

    def close(self) -> None:
        """Remember that it was called."""
        self.closed = True

    def _answer(self, command: str) -> Answer:
        if command not in self._script:
            near = get_close_matches(command, self._script, n=3, cutoff=0.3) or ["(nothing like it)"]
            listed = "\n  ".join(near)
            raise AssertionError(f"{self.name}: not scripted:\n  {command}\nnearest scripted:\n  {listed}")
        answer = self._script[command]
        if not isinstance(answer, list):
            return answer
        if not answer:
            raise AssertionError(f"{self.name}: asked more often than scripted:\n  {command}")
        return answer.pop(0)


def _ran(record: dict[str, Any], where: str) -> Ran:
    names = {f.name for f in fields(Ran)}
    if missing := sorted(names - _OPTIONAL - set(record)):
        raise ValueError(f"{where}: missing {', '.join(missing)}")
    at = datetime.fromisoformat(record["at"])
    return Ran(**{key: value for key, value in record.items() if key in names and key != "at"}, at=at)
