"""An operation: a desired state that yields only the steps still missing.  Run, then ask again: it yields none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tasks.hosts import Host, HostError
from tasks.narration import ticking
from tasks.reboots import restart

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One command to run and why.  `stdin` is sent and never recorded; `timeout` in seconds.

    `long` runs it as a unit of its own on the host, so that a lost connection finds it again.  With `reboot` the
    command restarts the host; within `timeout` it must be back with another boot id, and with `kernel` where that is
    given.  `cannot_undo` says, before it is done, what no command brings back.
    """

    why: str
    command: str
    timeout: float = 600
    stdin: str | None = None
    sudo: bool = False
    long: bool = False
    reboot: bool = False
    cannot_undo: str = ""
    kernel: str = ""


class Operation(Protocol):
    """A state that a host should be in."""

    @property
    def name(self) -> str:
        """A few words for a person: what will be there."""
        ...

    def plan(self, host: Host) -> Iterator[Step]:
        """Read facts and yield what is missing, nothing when all is in place."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What one operation did on one host; no steps means that all was in place."""

    host: str
    operation: str
    steps: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.host}: {self.operation}: {'; '.join(self.steps) if self.steps else 'already in place'}"


class NotConverged(HostError):
    """The steps ran, and the operation still finds something missing."""


class CarryOut(Protocol):
    """How a step is brought about; returns only when it succeeded."""

    def __call__(self, host: Host, operation: str, step: Step, say: Say) -> None:
        """Run the step of the operation so named."""
        ...


def at_once(host: Host, operation: str, step: Step, say: Say) -> None:
    """Run the step in this connection, a long one too; a reboot is waited for."""
    if step.reboot:
        restart(host, step.command, within_s=step.timeout, kernel=step.kernel, say=say)
    else:
        host.run(step.command, timeout=step.timeout, stdin=step.stdin, sudo=step.sudo).check()


def converge(host: Host, operation: Operation, *, say: Say = lambda _: None, carry_out: CarryOut = at_once) -> Change:
    """Run what is missing, then ask again; raises NotConverged when the answer isn't "nothing"."""
    done: list[str] = []
    for step in operation.plan(host):
        say(f"{host.name}: {step.why}")
        if step.cannot_undo:
            say(f"{host.name}: this can't be undone: {step.cannot_undo}")
        with ticking(f"{host.name}: {step.why}", say):
            carry_out(host, operation.name, step, say)
        done.append(step.why)
    if done and (left := [step.why for step in operation.plan(host)]):
        raise NotConverged(
            f"{operation.name}: every step ran and this is still missing: {'; '.join(left)}",
            where=host.name,
            fix="look at the commands in the run's raw record; something on the host undoes them",
        )
    return Change(host.name, operation.name, tuple(done))
