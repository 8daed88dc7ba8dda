"""Claim: after each fault that was played on it, the service came back by itself within the inventory's objective."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from assumptions._core import Assumption, Finding, Outcome, Part, Sense, Severity, Stage
from assumptions._fingerprint import DRIVER, ENGINE, FLAGS, GPU, KERNEL, MACHINE, MODEL, fingerprint
from assumptions._host import finding
from assumptions._parts import check
from assumptions._recovery_records import Found, Recorded, found
from assumptions._served import slot
from inventories.schema import Inventory
from tasks.hosts import now
from tasks.recovery.result import Course, Drilled
from tasks.site import Site

HOLDS_DAYS = 90  # of a drill; assumed: see SOURCE
STOPPED = "bad_release"  # judged by all seconds without service: nothing of what is live was to be hurt
RESTS_ON = (MACHINE, KERNEL, DRIVER, GPU, ENGINE, MODEL, FLAGS)
SOURCE = (
    "recovery.within_s of the inventory; that a drill is good for 90 days is assumed: a quarter, as plans here are, "
    "since people and settings change without leaving a trace in the fingerprint"
)


@dataclass(frozen=True, slots=True)
class Drills:
    """The newest drill of each kind, the release that is live now, and its environment."""

    at: datetime
    release: str
    fingerprint: dict[str, str]
    found: Found


def observe(site: Site, stage: Stage) -> Drills:
    """What runs of `beachhead recovery-drill` recorded on this machine.  Nothing is hurt here."""
    return Drills(now(), slot(site, stage).release, fingerprint(site, stage), found(site.folder))


def void(made: Recorded, seen: Drills) -> str:
    """Why a drill says nothing of what is live now; empty where it does."""
    if made.drilled.release != seen.release:
        return f"it was played on release {made.drilled.release}, and {seen.release} is live"
    age = seen.at - made.drilled.at
    if age > timedelta(days=HOLDS_DAYS):
        return f"it is {age.days} days old"
    other = [name for name in RESTS_ON if made.fingerprint.get(name) != seen.fingerprint.get(name)]
    unread = [name for name in RESTS_ON if name not in made.fingerprint and name not in seen.fingerprint]
    return f"changed since, or not readable: {', '.join([*other, *unread])}" if other or unread else ""


def seconds(drilled: Drilled) -> float | None:
    """What is held against the objective; None where the service did not come back."""
    if drilled.course is None or drilled.course.back_s is None or drilled.seen is None:
        return None
    return drilled.seen.without_s if drilled.drill == STOPPED else drilled.course.back_s


def wrong(drilled: Drilled, course: Course) -> str:
    """What went wrong whatever the time; empty where nothing did."""
    if course.left:
        return course.left
    if course.back_s is None:
        return f"no completion within {course.waited_s:.0f} s; brought back by {course.helped or 'nobody'}"
    if course.helped:
        return f"it did not come back by itself: {course.helped}"
    if drilled.release_after != drilled.release:
        return f"release {drilled.release_after or 'none'} is live afterwards, and {drilled.release} was"
    return drilled.unusable or "; ".join(drilled.lost)


def unclear(drilled: Drilled, course: Course) -> str:
    """Why it shows nothing; empty where it shows something."""
    if drilled.meanwhile:
        return drilled.meanwhile
    if not course.took:
        return "the fault was not seen to take hold" if course.took is False else "whether it took hold is not known"
    return "its words at temperature 0 are not those from before" if drilled.same_words is False else ""


def part(made: Recorded, seen: Drills, objective: float | None) -> Part:
    """One drill, judged."""
    drilled, course = made.drilled, made.drilled.course
    expected = "back by itself, same release" + ("" if objective is None else f", <= {objective:g} s")
    at = f"{drilled.at:%Y-%m-%d}: "
    if course is None:
        return check(drilled.drill, None, f"{at}not played: {drilled.why_not}", expected=expected)
    if why := void(made, seen):
        return check(drilled.drill, None, f"{at}{why}; {command(drilled.drill)}", expected=expected)
    if drilled.meanwhile or course.took is None:
        return check(drilled.drill, None, f"{at}{unclear(drilled, course)}", expected=expected)
    if why := wrong(drilled, course):
        return check(drilled.drill, False, f"{at}{why}", expected=expected, measured=_measured(drilled))
    if why := unclear(drilled, course):
        return check(drilled.drill, None, f"{at}{why}", expected=expected, measured=_measured(drilled))
    took = seconds(drilled)
    if took is None:
        return check(drilled.drill, None, f"{at}its time was not recorded", expected=expected)
    said = f"{at}{course.did}; {_measured(drilled)}"
    if objective is None:
        return Part(
            drilled.drill, Outcome.NOT_APPLICABLE, f"{said}; no objective is declared", expected, f"{took:.1f} s"
        )
    return check(drilled.drill, took <= objective, said, expected=expected, measured=f"{took:.1f} s")


def _measured(drilled: Drilled) -> str:
    took, seen = seconds(drilled), drilled.seen
    if took is None:
        return "not back"
    if drilled.drill == STOPPED:
        return f"{took:.1f} s without service"
    without = f", {seen.without_s:.1f} s without service in all" if seen and seen.without_s > took else ""
    return f"back after {took:.1f} s{without}"


def command(drills: str = "kill,freeze") -> str:
    """What to do about it."""
    return f"play it with `beachhead recovery-drill INVENTORY --drill {drills}`"


def parts(seen: Drills, inventory: Inventory) -> Iterator[Part]:
    """Every drill that was played, and every objective that none was played for."""
    within: dict[str, float] = {str(name): limit for name, limit in inventory.recovery.within_s.items()}
    played = {made.drilled.drill for made in seen.found.drills}
    for made in seen.found.drills:
        yield part(made, seen, within.get(made.drilled.drill))
    for name in sorted(set(within) - played):
        yield check(name, None, f"never drilled: {command(name)}", expected=f"<= {within[name]:g} s")
    if not within and not played:
        yield check("drills", None, f"never drilled, and no objective is declared: {command()}", expected="a drill")
    for damaged in seen.found.damaged:
        yield check("records", None, f"a record can't be relied on: {damaged}")


def tightest(seen: Drills, listed: tuple[Part, ...], within: Mapping[str, float]) -> tuple[float, float] | None:
    """Seconds and objective of the drill that came nearest to its objective, or went furthest past it."""
    judged = {each.name for each in listed if each.outcome in (Outcome.PASS, Outcome.FAIL)}
    drills = [made.drilled for made in seen.found.drills if made.drilled.drill in judged & set(within)]
    if any(each.course is None or wrong(each, each.course) for each in drills):
        return None
    times = [(took, within[each.drill]) for each in drills if (took := seconds(each)) is not None]
    return max(times, key=lambda pair: pair[0] / pair[1] if pair[1] else float("inf"), default=None)


def judge(seen: Drills, inventory: Inventory) -> Finding:
    """PASS only where every objective was met by a drill of what is live now, and none of them went wrong."""
    if inventory.serving.runtime == "kubernetes":
        listed: tuple[Part, ...] = (check("drills", None, "drills are not built for clusters"),)
    else:
        listed = tuple(parts(seen, inventory))
    passed = [each for each in listed if each.outcome is Outcome.PASS]
    within: dict[str, float] = {str(name): limit for name, limit in inventory.recovery.within_s.items()}
    nearest = tightest(seen, listed, within)
    limits = ", ".join(f"{name} {limit:g} s" for name, limit in sorted(within.items()))
    return finding(
        listed,
        good="; ".join(f"{each.name} {each.measured}" for each in passed),
        expected=f"back within {limits}" if limits else "objectives, and drills that meet them",
        source=SOURCE,
        threshold=limits or "none declared",
        value=nearest[0] if nearest else None,
        unit="s until served again",
        limit=nearest[1] if nearest else None,
        sense=Sense.MOST,
        samples=1 if nearest else None,
    )


ASSUMPTION = Assumption(
    id="recovery-within-objectives",
    guide="K2 Thinking guide §6.1",
    states="After a fault the service is back, right and whole, within the inventory's objectives.",
    stages=(Stage.LIVE,),
    severity=Severity.ADVISORY,
    remedy="Allow drills in the inventory's `recovery:` block, declare objectives there, and at a quiet hour run "
    "`beachhead recovery-drill INVENTORY --drill kill,freeze --yes-this-stops-service`. Where one fails, `beachhead "
    "watch` says what the watchdog did.",
    version=1,
    observe=observe,
    judge=judge,
)
