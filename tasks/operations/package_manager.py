"""The package manager is ready to work: nothing half done, nobody holds its lock, and no timer starts it meanwhile."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.package_faults import PackageAuditFact
from tasks.facts.package_locks import PackageLock, PackageLockFact
from tasks.facts.systemd_units import SystemdUnitFact
from tasks.facts.text_file import TextFile
from tasks.hosts import Host, HostError
from tasks.operations.apt import LOCK_WAIT_S, QUIET
from tasks.operations.base import Operation, Step

TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")
NOTE = "/run/beachhead-held-timers"  # gone with a restart, as what it tells of
AGAIN_AFTER = "4h"  # assumed: longer than any run; then systemd starts them even if we never come back
GUARD = "beachhead-timers-again"


class PackageManagerBusy(HostError):
    """A process that can't be waited for holds the package manager's lock."""


@dataclass(frozen=True)
class PackageManagerReady:
    """Nobody holds the package manager's locks, and dpkg finds nothing half done.

    The holder is waited for by pid, `wait_s` seconds, and named; a lock is never deleted and a process never ended.
    What is half done is finished once; where that fails dpkg's own words end the run.
    """

    wait_s: int = LOCK_WAIT_S

    @property
    def name(self) -> str:
        """For a person."""
        return "package manager ready"

    def plan(self, host: Host) -> Iterator[Step]:
        """Wait for each holder, then let dpkg finish."""
        holders: dict[int, PackageLock] = {}
        while new := {lock.pid: lock for lock in look(host, PackageLockFact()) if lock.pid not in holders}:
            holders |= new
            for lock in new.values():
                yield self._wait(host, lock)
        audit = look(host, PackageAuditFact())
        if audit.faults:
            names = ", ".join(f"{fault.name} ({fault.fault})" for fault in audit.faults)
            command = f"{QUIET}; dpkg --force-confdef --force-confold --configure -a"
            yield Step(f"finish what dpkg left half done: {names}", command, timeout=1800, sudo=True, long=True)

    def _wait(self, host: Host, lock: PackageLock) -> Step:
        who = f"{lock.process or 'a process'} (pid {lock.pid})"
        if lock.pid == 0:
            raise PackageManagerBusy(
                f"{lock.path} is held by a process that this host may not see, so it can't be waited for",
                where=host.name,
                fix="find it from outside the container or virtual machine; the lock was not touched",
            )
        late = f"{who} still holds {lock.path} after {self.wait_s} s; see what it does on the host"
        command = (
            f"timeout {self.wait_s} tail --pid={lock.pid} -f /dev/null || {{ echo {shlex.quote(late)} >&2; exit 75; }}"
        )
        return Step(f"wait until {who} lets go of {lock.path}", command, timeout=self.wait_s + 30, sudo=True, long=True)


@dataclass(frozen=True)
class TimersHeld:
    """While `before` has anything to do, the timers that start apt by themselves are stopped.

    Which ones is noted on the host; TimersRestored starts exactly those again, systemd after four hours if we never
    come back, and a restart of the host in any case.
    """

    before: Sequence[Operation]

    @property
    def name(self) -> str:
        """For a person."""
        return "apt's timers held"

    def plan(self, host: Host) -> Iterator[Step]:
        """Stop those that run, if there is a reason to."""
        units = look(host, SystemdUnitFact(TIMERS))
        running = [timer for timer, unit in zip(TIMERS, units, strict=True) if unit.is_active]
        if not running or not any(True for operation in self.before for _ in operation.plan(host)):
            return
        names = " ".join(running)
        guard = f"systemd-run --quiet --collect --unit={GUARD} --on-active={AGAIN_AFTER} systemctl start {names}"
        command = (
            f"systemctl stop {GUARD}.timer 2>/dev/null; {guard} && echo {names} > {NOTE} && systemctl stop {names}"
        )
        yield Step(f"hold {', '.join(running)}", command, timeout=120, sudo=True)


@dataclass(frozen=True)
class TimersRestored:
    """The timers that TimersHeld stopped run again."""

    @property
    def name(self) -> str:
        """For a person."""
        return "apt's timers restored"

    def plan(self, host: Host) -> Iterator[Step]:
        """Start what the note names, and only that."""
        note = look(host, TextFile(NOTE))
        if note is None:
            return
        names = " ".join(timer for timer in TIMERS if timer in note.split())
        command = f"systemctl start {names} && {{ systemctl stop {GUARD}.timer 2>/dev/null; rm -f {NOTE}; }}"
        yield Step(f"start {names.replace(' ', ', ')} again", command, timeout=120, sudo=True)
