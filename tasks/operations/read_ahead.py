"""Bring many operations about with few exchanges: what they look at is read ahead, all together, while nothing changes.

An operation needs to say nothing for it.  Its plan is started against a host that stops it at the first look whose
answer isn't known; the looks of all operations go to the host as one batch; and so on, until every plan has come to
its end or to its first step.  What was read is forgotten before a step is handed out and FRESH_S seconds after it was
complete, and a plan that asks the same twice gets a new answer: so none sees what was true before a change of ours.
What a batch did not answer is asked alone, and errors come from there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NoReturn

from tasks.batch import BATCH_S, run_all
from tasks.hosts import Host, HostError, Ran
from tasks.operations.base import Operation, Step

ROUNDS = 5  # an operation whose next look depends on the last one takes a round for each
FRESH_S = 5.0  # what was read is used no longer: others change hosts too


def reading_ahead(host: Host, operations: Sequence[Operation]) -> list[Operation]:
    """The same operations, to be brought about on `host` in this order and by one thread; each keeps its name."""
    ahead = _Ahead(host)
    return [_Planned(operation, ahead, operations[index:]) for index, operation in enumerate(operations)]


@dataclass(frozen=True, slots=True)
class _Look:
    command: str
    sudo: bool


class _Stopped(BaseException):
    """A plan is left where it asked something; no plan's `except Exception` may catch it."""

    def __init__(self, look: _Look | None) -> None:
        self.look = look  # None: not one to read ahead


@dataclass(frozen=True, slots=True)
class _Planned:
    """An operation whose plan reads what was read ahead; its steps never go there."""

    operation: Operation
    ahead: _Ahead
    left: Sequence[Operation]

    @property
    def name(self) -> str:
        """The operation's own."""
        return self.operation.name

    def plan(self, host: Host) -> Iterator[Step]:
        """The operation's own steps; all that was read is forgotten before each."""
        if not self.ahead.covers(self.operation):
            self.ahead.read(self.left)
        changed = False
        for step in self.operation.plan(_Reader(self.ahead)):
            self.ahead.forget()
            changed = True
            yield step
        if changed:  # who carried the steps out asks this one again, and then comes the next one's turn
            self.ahead.read(self.left[:2])


class _Ahead:
    """What was read ahead from one host, and for which operations."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._known: dict[_Look, Ran] = {}
        self._covered: list[Operation] = []
        self._read_at = 0.0  # by the monotonic clock, when the last reading was complete

    def known(self, look: _Look) -> Ran | None:
        """The answer that was read, unless it is too old."""
        return self._known.get(look) if self._fresh else None

    def covers(self, operation: Operation) -> bool:
        """Whether this operation was read ahead, nothing changed since, and that is not long ago."""
        return self._fresh and any(covered is operation for covered in self._covered)

    @property
    def _fresh(self) -> bool:
        return time.monotonic() - self._read_at < FRESH_S

    def forget(self) -> None:
        """Something is about to change."""
        self._known, self._covered = {}, []

    def read(self, operations: Sequence[Operation]) -> None:
        """Ask, in a batch a round, what these plans look at until each ends or yields."""
        self.forget()
        self._read_at = math.inf  # all of it is new until this reading is complete
        waiting = list(operations)
        for _ in range(ROUNDS):
            asked = [(operation, look) for operation in waiting if (look := self._next(operation)) is not None]
            if not asked:
                break
            self._ask({look: None for _, look in asked})
            waiting = [operation for operation, look in asked if look in self._known]
        self._covered, self._read_at = list(operations), time.monotonic()

    def _next(self, operation: Operation) -> _Look | None:
        """The first look that isn't known; None at a plan's end, at its first step and at its first error."""
        try:
            next(operation.plan(_Probe(self)), None)
        except _Stopped as stopped:
            return stopped.look
        except Exception:  # the plan itself will raise it, in its turn
            return None
        return None

    def _ask(self, looks: dict[_Look, None]) -> None:
        for sudo in (False, True):
            mine = [look for look in looks if look.sudo is sudo]
            try:
                answers = run_all(self.host, [look.command for look in mine], sudo=sudo)
            except HostError:  # each will be asked alone, and tell what is wrong
                continue
            self._known |= {look: ran for look, ran in zip(mine, answers, strict=True) if ran is not None}


class _Reader:
    """A host for one pass of one plan: gives each known answer once, and asks the real host all else."""

    def __init__(self, ahead: _Ahead) -> None:
        self.name = ahead.host.name
        self._ahead = ahead
        self._given: set[_Look] = set()

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        """The known answer, else the host's."""
        look = _Look(command, sudo)
        if stdin is None and look not in self._given and (known := self._ahead.known(look)) is not None:
            self._given.add(look)
            return known
        return self._unknown(look, timeout, stdin)

    def _unknown(self, look: _Look, timeout: float, stdin: str | None) -> Ran:
        return self._ahead.host.run(look.command, timeout=timeout, stdin=stdin, sudo=look.sudo)

    def forward(self, port: int) -> AbstractContextManager[int]:
        """See `tasks.hosts.Host.forward`."""
        return self._ahead.host.forward(port)

    def close(self) -> None:
        """The connection isn't ours to close."""


class _Probe(_Reader):
    """The same, but leaves the plan where it would ask the real host."""

    def _unknown(self, look: _Look, timeout: float, stdin: str | None) -> NoReturn:
        """A look with input, a long deadline, or asked a second time, isn't one to read ahead."""
        plain = stdin is None and timeout <= BATCH_S and look not in self._given
        raise _Stopped(look if plain else None)

    def forward(self, port: int) -> NoReturn:
        """No connection is made ahead."""
        raise _Stopped(None)
