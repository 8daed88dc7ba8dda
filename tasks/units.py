"""A long step as a unit of its own on the host: it outlives the connection, and a later one finds it by its id.

`<root>/units/<id>/` (mode 0700) holds the command, its input until it is read, its output, its exit status.  A step
as root is a transient systemd unit; one without root, or where systemd did not boot the host, is a process in its own
session.  Neither command nor input is ever part of a command line.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from shlex import quote
from typing import TypeVar

from tasks.facts.reading import fields, understood, whole
from tasks.framing import TIMED_OUT
from tasks.hosts import AuthenticationRefused, DeadlineExceeded, Host, HostError, Ran, Unreachable, now
from tasks.unit_scripts import alive, poll, receiver, runner, starter

T = TypeVar("T")
SILENCE_S = 180.0  # for how long a host may not answer before its step is given up as hung
_STREAMS = ("out", "err")
POLL_S = 10  # how long one poll waits on the host for the end
OVERDUE_S = 60.0  # beyond the unit's own deadline


class Hung(Unreachable):
    """The host stopped answering while a unit ran; the unit may still run."""


class Interrupted(HostError):
    """The unit is over and left no exit status: the host restarted, or somebody killed it."""


class UnitState(StrEnum):
    """What a poll may find."""

    ABSENT = "absent"  # nothing of that id was ever started
    RUNNING = "running"
    ENDED = "ended"
    GONE = "gone"  # it runs no more and left no status
    RESTARTED = "restarted"  # the host did, since the unit began


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit by its id, and the folder of its files."""

    id: str
    folder: str

    @staticmethod
    def of(root: str, id_: str) -> Unit:
        """The unit of that id below `root`."""
        return Unit(id_, f"{root}/units/{id_}")


@dataclass(frozen=True, slots=True)
class Poll:
    """A unit's state, and its exit status where it ended."""

    state: UnitState
    exit: int | None


@dataclass(frozen=True)
class PollFact:
    """A unit's Poll, after waiting up to `wait_s` seconds on the host for its end.

    Samples: "state=running\\nexit=", "state=ended\\nexit=0"
    """

    unit: Unit
    wait_s: int = 0

    @property
    def command(self) -> str:
        """Look five times a second; ask less often whether it still runs."""
        return poll(self.unit.folder, alive(self.unit.id), self.wait_s)

    @understood
    def parse(self, stdout: str) -> Poll:
        """Two lines."""
        state, exit_ = fields(stdout, "state", "exit")
        return Poll(UnitState(state), whole(exit_) if state == UnitState.ENDED else None)


def run_unit(
    host: Host,
    unit: Unit,
    command: str,
    *,
    timeout_s: float,
    stdin: str | None = None,
    sudo: bool = False,
    silence_s: float = SILENCE_S,
    say: Callable[[str], None] = lambda _: None,
) -> Ran:
    """Start `command` as `unit` and wait for its end, over as many connections as it takes."""
    begin(host, unit, command, timeout_s=timeout_s, stdin=stdin, sudo=sudo, silence_s=silence_s, say=say)
    return watch(host, unit, command, timeout_s=timeout_s, silence_s=silence_s, say=say)


def begin(
    host: Host,
    unit: Unit,
    command: str,
    *,
    timeout_s: float,
    stdin: str | None = None,
    sudo: bool = False,
    silence_s: float = SILENCE_S,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Bring the files over and start it, once: a start whose answer was lost is not repeated."""

    def bring() -> None:
        files = {"job.sh": command + "\n", "run.sh": runner(unit.folder, timeout_s), "stdin": stdin or ""}
        sizes = {name: len(text.encode()) for name, text in files.items()}
        host.run(receiver(unit.folder, sizes), stdin="".join(files.values())).check()

    def start() -> None:
        host.run(starter(unit.folder, unit.id, as_root=sudo), sudo=sudo).check()

    _insist(host, unit, bring, silence_s, say)
    _insist(host, unit, start, silence_s, say)


def watch(
    host: Host,
    unit: Unit,
    command: str,
    *,
    timeout_s: float,
    silence_s: float = SILENCE_S,
    say: Callable[[str], None] = lambda _: None,
) -> Ran:
    """Wait until `unit` ends and give what it wrote; raises Hung, Interrupted or DeadlineExceeded."""
    at, began = now(), time.monotonic()
    where = f"{host.name}: unit {unit.id}"
    while True:
        found = _insist(host, unit, lambda: look_at(host, unit, POLL_S), silence_s, say)
        if found.exit is not None:
            out, err = (_insist(host, unit, partial(_text, host, unit, name), silence_s, say) for name in _STREAMS)
            seconds = time.monotonic() - began
            if found.exit in TIMED_OUT and seconds >= timeout_s:
                raise _late(f"the step did not end within {timeout_s:g} s and was stopped", where, unit, err or out)
            return Ran(host.name, command, found.exit, out, err, at, seconds)
        if found.state is not UnitState.RUNNING:
            raise Interrupted(
                f"the step began and left no exit status ({found.state}); whether it finished is not known",
                where=where,
                fix="run the flow again: it asks the host what is there, and does only what is missing",
            )
        if time.monotonic() - began > timeout_s + OVERDUE_S:
            raise _late(f"the step did not end within {timeout_s:g} s, and could not be stopped", where, unit, "")


def _late(what: str, where: str, unit: Unit, said: str) -> DeadlineExceeded:
    tail = said.strip()[-400:]
    return DeadlineExceeded(
        f"{what}; its last output: {tail}" if tail else f"{what}; it wrote nothing",
        where=where,
        fix=f"see on the host what it waits for ({unit.folder}), or give it more time",
    )


def look_at(host: Host, unit: Unit, wait_s: int = 0) -> Poll:
    """The unit's Poll."""
    fact = PollFact(unit, wait_s)
    return fact.parse(host.run(fact.command, timeout=wait_s + 20).check().stdout)


def forget(host: Host, unit: Unit) -> None:
    """Remove its files; what root wrote is in a folder of ours."""
    host.run(f"rm -rf {quote(unit.folder)}").check()


def _text(host: Host, unit: Unit, name: str) -> str:
    return host.run(f"cat {quote(unit.folder)}/{name} 2>/dev/null || true", timeout=120).check().stdout


def _insist(host: Host, unit: Unit, ask: Callable[[], T], silence_s: float, say: Callable[[str], None]) -> T:
    """Ask over a new connection until the host answers or was silent for `silence_s` seconds.

    A login that is refused counts as silence: it was accepted before, and a host that shuts down or boots refuses it.
    """
    since, pause = time.monotonic(), 0.5
    while True:
        try:
            return ask()
        except (Unreachable, DeadlineExceeded, AuthenticationRefused) as silent:
            silence = time.monotonic() - since
            if silence >= silence_s:
                raise Hung(
                    f"hung: no answer for {silence:.0f} s ({silent.what}); unit {unit.id} may still run there",
                    where=f"{host.name}: unit {unit.id}",
                    fix="see that the host is up and reachable, then run the flow again: it finds the unit and waits "
                    "for it instead of starting the step anew",
                ) from None
            say(f"{host.name}: no answer, asking unit {unit.id} again over a new connection")
            host.close()
            time.sleep(min(pause, max(0.0, silence_s - silence)))
            pause = min(pause * 2, 8.0)
