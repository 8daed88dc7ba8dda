"""Claim: a server that dies or hangs is started again and answers, without a person.  Judged by what was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Outcome, Part, Sense, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import slot
from inventories.schema import Inventory
from tasks.facts.base import look
from tasks.facts.watch import WatchEvent, WatchFact, Watching
from tasks.site import Site

BEGUN = ("restart", "began again by itself")  # the watchdog's words, tasks/remote/watch_rules.py
RECOVERED, OPENED, CLOSED, FOLLOWS = "recovered", "opened", "closed", "follows"
DRILL = "play it with `beachhead recovery-drill INVENTORY --drill freeze`"  # the only way to have seen it
SOURCE = "the watchdog's own events on the host; seconds from the first failed look to the next real completion"


@dataclass(frozen=True, slots=True)
class Recovery:
    """One restart that ended in an answer: seconds without service, and why it was restarted."""

    seconds: float
    why: str
    at: str


@dataclass(frozen=True, slots=True)
class Watched:
    """The watchdog on the serving host, and the release that is live there; None: this runtime watches by itself."""

    release: str
    watching: Watching | None


def observe(site: Site, stage: Stage) -> Watched:
    """The watchdog's state and events.  Nothing is hurt here, and nothing is asked of the engine."""
    at = slot(site, stage)
    if site.inventory.serving.runtime == "kubernetes":
        return Watched(at.release, None)
    return Watched(at.release, look(site.host(site.head.name), WatchFact(site.head.root)))


def recoveries(events: tuple[WatchEvent, ...], release: str) -> list[Recovery]:
    """The restarts of `release` behind which an answer came.  A fault that passed without a restart is none."""
    begun: WatchEvent | None = None
    found = []
    for event in events:
        if event.event == FOLLOWS or event.release != release:
            begun = None
        elif event.event in BEGUN:
            begun = begun or event
        elif event.event == RECOVERED and begun is not None:
            if event.seconds is not None:
                found.append(Recovery(event.seconds, begun.why or begun.event, begun.at.isoformat(timespec="seconds")))
            begun = None
    return found


def unanswered(events: tuple[WatchEvent, ...], release: str) -> WatchEvent | None:
    """The newest restart of `release` that no answer has followed yet."""
    begun = None
    for event in events:
        if event.event in (FOLLOWS, RECOVERED, CLOSED):
            begun = None
        elif event.event in BEGUN and event.release == release:
            begun = event
    return begun


def longest_s(inventory: Inventory) -> float | None:
    """Seconds in which a fault must be found and the engine started again; None without a declared start budget."""
    watch, budget = inventory.serving.watch, inventory.serving.start_budget_s
    return None if budget is None else watch.failures * (watch.every_s + watch.deadline_s) + float(budget)


def _parts(seen: Watching, release: str, inventory: Inventory) -> Iterator[Part]:
    said = "the watchdog runs" if seen.running else "it was set up and has ended: nothing watches the engine"
    said = said if seen.enabled else "none is set up yet: it begins once a release has been judged live"
    yield check("watchdog", seen.running if seen.enabled else None, said, expected="runs")
    breaker = seen.state.breaker if seen.state else ""
    yield check("breaker", not breaker, breaker or "closed", expected="closed")
    found, open_ = recoveries(seen.events, release), unanswered(seen.events, release)
    if open_ is not None:
        since = open_.at.isoformat(timespec="seconds")
        yield check("newest restart", None, f"restarted at {since}, and no answer was seen since", expected="an answer")
    if not found:
        said = f"no restart of release {release} was seen: {DRILL}"
        yield check("recovery", None, said, expected="a restart, then an answer")
        return
    last, limit = found[-1], longest_s(inventory)
    said = f"{last.at}: {last.why}; answered again after {last.seconds:.0f} s ({len(found)} seen)"
    within = True if limit is None else last.seconds <= limit
    expected = "an answer" if limit is None else f"<= {limit:g} s"
    yield check("recovery", within, said, expected=expected, measured=f"{last.seconds:.1f} s")


def judge(seen: Watched, inventory: Inventory) -> Finding:
    """PASS only where a restart of this very release was seen to end in an answer, and the watchdog still watches."""
    limit = longest_s(inventory)
    expected = "a restart that was followed by a real completion" + ("" if limit is None else f" within {limit:g} s")
    if seen.watching is None:
        parts: tuple[Part, ...] = (check("recovery", None, "the cluster's own restarts are not read yet"),)
    elif not inventory.serving.watch.enabled:
        parts = (Part("watchdog", Outcome.NOT_APPLICABLE, "serving.watch.enabled is false in this inventory"),)
    else:
        parts = tuple(_parts(seen.watching, seen.release, inventory))
    found = recoveries(seen.watching.events, seen.release) if seen.watching else []
    return finding(
        parts,
        good=f"{len(found)} recoveries seen, the last after {found[-1].seconds:.0f} s" if found else "",
        expected=expected,
        source=SOURCE,
        threshold="" if limit is None else f"<= {limit:g} s (watch.failures x (every_s + deadline_s) + start_budget_s)",
        value=round(found[-1].seconds, 1) if found else None,
        unit="s without service",
        samples=1 if found else None,
        limit=limit,
        sense=Sense.MOST,
    )


ASSUMPTION = Assumption(
    id="restart-recovery",
    guide="K2 Thinking guide §6.1",
    states="A server that dies or hangs is restarted and answers again without a person.",
    stages=(Stage.LIVE,),
    severity=Severity.ADVISORY,
    remedy="At a quiet hour run `beachhead recovery-drill INVENTORY --drill freeze --yes-this-stops-service`, and "
    "judge again. Where the breaker is open, `beachhead watch` says why: mend that, then `beachhead watch --reset`.",
    version=1,
    observe=observe,
    judge=judge,
)
