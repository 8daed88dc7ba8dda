"""What a run has on a host while it works there: the lease, the journal, and the units that its long steps become."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tasks import journal, leases
from tasks.hosts import DeadlineExceeded, Host, HostError, Unreachable, now
from tasks.journal import Entry, Event, Journal
from tasks.leases import LeaseLost, Taken
from tasks.operations.base import Say, Step, at_once
from tasks.units import SILENCE_S, Interrupted, Unit, UnitState, forget, look_at, run_unit, watch

ADOPT_S = 7200.0  # the longest wait for another run's unit, which has a deadline of its own
_WORDS = {
    Taken.RESTARTED: "the host has restarted since",
    Taken.SILENT: "nothing was heard of it for {silent_s} s",
    Taken.DEAD: "its process on this machine has ended",
}


@dataclass
class Tenancy:
    """A run's hold on one host.  Called with a step it carries it out: at once, as a unit, or as a restart."""

    host: Host
    root: str
    run: str
    journal: Journal
    silence_s: float = SILENCE_S
    lost: bool = False
    _steps: int = field(default=0, init=False)

    def plans(self, operations: Sequence[str]) -> None:
        """Note what this run is about to bring about."""
        self.journal.write(Event.PLANNED, note="; ".join(operations))

    def __call__(self, host: Host, operation: str, step: Step, say: Say) -> None:
        """Note that it begins, carry it out, note how it ended.

        A step whose end was not seen stays open in the journal: the next run will find it.
        """
        self.check()
        self._steps += 1
        number = self._steps
        unit = Unit.of(self.root, f"beachhead-{self.run}-{number}") if step.long and not step.reboot else None
        about = {"step": number, "operation": operation, "why": step.why}
        self.journal.write(Event.BEGUN, **about, unit=unit.id if unit else "")
        try:
            self._carry_out(host, operation, step, unit, say)
        except (Unreachable, DeadlineExceeded, Interrupted):
            raise
        except HostError as failed:
            with suppress(HostError):
                self.journal.write(Event.FAILED, **about, note=failed.what[:300])
            raise
        self.journal.write(Event.DONE, **about)

    def _carry_out(self, host: Host, operation: str, step: Step, unit: Unit | None, say: Say) -> None:
        if unit is not None:
            ran = run_unit(
                host,
                unit,
                step.command,
                timeout_s=step.timeout,
                stdin=step.stdin,
                sudo=step.sudo,
                silence_s=self.silence_s,
                say=say,
            )
            ran.check()
            forget(host, unit)
            return
        at_once(host, operation, step, say)
        if step.reboot:
            self.renew()

    def renew(self) -> None:
        """Say that we are alive; from now on every step is refused where another has taken the lease."""
        self.lost = not leases.renew(self.host, self.root, self.run)

    def check(self) -> None:
        """Raise LeaseLost where another run works here now."""
        if self.lost:
            raise LeaseLost(
                f"another run has taken this host over from run {self.run}",
                where=f"{self.host.name}: {self.root}/lease",
                fix="see there whose it is; nothing more was done here",
            )


@contextmanager
def tenancy(
    host: Host, root: str, run: str, say: Callable[[str], None] = lambda _: None, *, silence_s: float = SILENCE_S
) -> Iterator[Tenancy]:
    """Hold the host's lease while the context lasts; first settle what runs before this one left behind.

    Raises LeaseHeld where somebody else works here.  `root` must exist and be ours.
    """
    answer = leases.take(host, root, run, now().isoformat(timespec="seconds"))
    if answer.old and answer.how in _WORDS:
        why = _WORDS[answer.how].format(silent_s=answer.silent_s)
        say(f"{host.name}: took the lease of {answer.old.owner} (run {answer.old.run}) over: {why}")
    held = Tenancy(host, root, run, Journal(host, root, run, answer.boot), silence_s)
    over = threading.Event()
    keeper = threading.Thread(target=_keep, args=(held, over), daemon=True)
    keeper.start()
    try:
        settle(held, say)
        yield held
    finally:
        over.set()
        keeper.join(5)
        _give_back(held, say)


def _keep(held: Tenancy, over: threading.Event) -> None:
    """Renew once a minute; an answer that does not come is no loss yet."""
    while not over.wait(leases.RENEW_S):
        with suppress(HostError):
            held.renew()


def _give_back(held: Tenancy, say: Callable[[str], None]) -> None:
    try:
        leases.release(held.host, held.root, held.run)
    except HostError as silent:
        say(
            f"{held.host.name}: the lease could not be given back ({silent.what}); it ends by itself "
            f"{leases.STALE_S} s after its last word"
        )


def settle(held: Tenancy, say: Callable[[str], None]) -> None:
    """Say what earlier runs left: wait for a unit that still runs, note the others as over."""
    page = journal.read(held.host, held.root)
    if page.torn:
        say(
            f"{held.host.name}: {page.torn} lines of the journal can't be read (cut off in mid-write); left as they are"
        )
    for left in journal.unfinished(page.entries, held.run):
        say(f"{held.host.name}: run {left.run} began {left.why!r} at {left.at} and its end is not written")
        event, note = _settle(held, left, say)
        say(f"{held.host.name}: {note}")
        held.journal.close_for(left, event, note)


def _settle(held: Tenancy, left: Entry, say: Callable[[str], None]) -> tuple[Event, str]:
    if not left.unit:
        again = "the host has restarted since" if left.boot != held.journal.boot else "the same boot runs"
        return Event.ABANDONED, f"whether it finished is asked of the facts ({again})"
    unit = Unit.of(held.root, left.unit)
    found = look_at(held.host, unit)
    if found.state is UnitState.RUNNING:
        say(f"{held.host.name}: its unit {unit.id} still runs; waiting for its end")
        ran = watch(held.host, unit, left.why, timeout_s=ADOPT_S, silence_s=held.silence_s, say=say)
        return Event.ADOPTED, f"its unit ended with exit status {ran.exit} while this run waited"
    if found.exit is not None:
        return Event.ADOPTED, f"its unit had ended with exit status {found.exit}"
    return Event.ABANDONED, f"its unit is {found.state}; whether it finished is asked of the facts"
