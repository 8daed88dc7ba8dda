"""Claim: the clock of each host agrees with ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Sense, Severity, Stage
from assumptions._host import attempt, each, finding, tried, unread
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.clock import ClockDifference, ClockSync, ClockSyncFact, clock_difference
from tasks.facts.reading import Reading
from tasks.hosts import Host
from tasks.site import Site

MOST_S = 2.0
SOURCE = "assumed: 2 s keeps the records of several machines in order; apt and TLS stand minutes, not hours"


@dataclass(frozen=True, slots=True)
class Clock:
    """How far the host's clock is from ours, and what its own time service says."""

    difference: Reading[ClockDifference]
    service: Reading[ClockSync]


def observe(site: Site, stage: Stage) -> dict[str, Clock]:
    """Read every host's clock three times, and ask its time service."""

    def see(host: Host, _: HostSpec) -> Clock:
        return Clock(tried(lambda: clock_difference(host)), attempt(host, ClockSyncFact()))

    return each(site, site.inventory.hosts, see)


def _part(host: str, found: Reading[ClockDifference]) -> Part:
    name, expected = f"{host}: clock", f"within {MOST_S:g} s"
    if found.value is None:
        return unread(name, found, expected=expected)
    seconds, bound = found.value.seconds, found.value.bound_s
    holds = True if abs(seconds) + bound <= MOST_S else False if abs(seconds) - bound > MOST_S else None
    said = f"{abs(seconds):.3f} s {'ahead' if seconds > 0 else 'behind'}, give or take {bound:.3f} s"
    return check(name, holds, said, expected=expected, measured=f"{seconds:.3f} s")


def _service(host: str, found: Reading[ClockSync]) -> str:
    if found.value is None:
        return f"{host}: its time service does not answer: {found.why_not[:120]}"
    offset = found.value.offset_s.value
    known = f", {offset:g} s from its source" if offset is not None else ""
    return f"{host}: {found.value.source} says {'in step' if found.value.synchronized else 'NOT in step'}{known}"


def judge(seen: Mapping[str, Clock], inventory: Inventory) -> Finding:
    """Our difference is judged; what the host's own service says is told."""
    known = [clock.difference.value for clock in seen.values() if clock.difference.value is not None]
    worst = max((abs(each.seconds) for each in known), default=None)
    return finding(
        (_part(host, clock.difference) for host, clock in seen.items()),
        good=f"at most {worst or 0:.3f} s from this machine's clock",
        expected=f"within {MOST_S:g} s of this machine's clock",
        source=SOURCE,
        value=round(worst, 4) if worst is not None else None,
        unit="s",
        limit=MOST_S,
        sense=Sense.MOST,
        notes=tuple(_service(host, clock.service) for host, clock in seen.items()),
    )


ASSUMPTION = Assumption(
    id="clock-in-step",
    guide="K2 Thinking guide §7.2",
    states="The clock of each host agrees with this machine's.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="timedatectl set-ntp true, or install chrony and name a source that the host can reach. If this machine is "
    "the one that is wrong, mend its clock.",
    version=1,
    observe=observe,
    judge=judge,
    depends_on=("machine", "kernel"),
)
