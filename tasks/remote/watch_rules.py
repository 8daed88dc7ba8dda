"""Runs on the host: what the watchdog makes of what it sees.  Nothing here looks or acts; Python 3.9 and later.

All times are seconds of the host's uptime, so that a clock that is set neither ends a window nor opens the breaker.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

ANSWERED = "answered"  # a completion with a token in it
BUSY = "busy"  # none in time, and the engine's token counters moved: it works, for others
UNCLEAR = "unclear"  # refused by status 4xx: nothing is known of the engine, and nothing is done to it
REFUSED = "refused"  # no connection: loading, or without a listener
SLOW = "slow"  # no whole answer in time, or status 5xx
GARBAGE = "garbage"  # an answer without a token, or with figures that are none
GONE = "gone"  # its process or container is not there

RESTART = "restart"  # kill it and start it
STOP = "stop"  # kill it and leave it down

STARTING, SERVING = "starting", "serving"


@dataclass(frozen=True)
class Limits:
    """The inventory's `serving.watch`; `start_budget_s` is the longest load, from start to the first completion.

    `pause_s`: between a start and the next, doubled with each start of the window; what is amiss may pass.
    `begins_itself`: the runtime begins an engine that exited anew (Docker's restart policy).
    """

    failures: int = 2
    restarts: int = 3
    within_s: float = 3600
    start_budget_s: float = 1800
    pause_s: float = 0
    begins_itself: bool = False


@dataclass(frozen=True)
class State:
    """What is remembered of the live engine between two rounds."""

    phase: str = STARTING
    since: float = 0.0  # when this phase began
    failures: int = 0  # in a row
    fault_at: float | None = None  # since when it does not answer
    restarts: tuple[float, ...] = ()  # starts within the window, ours and the runtime's own
    breaker: str = ""  # why it is open; empty: closed
    note: str = ""  # what was last told, so that it is told once
    last_ok: float | None = None


@dataclass(frozen=True)
class Seen:
    """One look: a word from above and its reason.  `hold` says why nothing may be done now."""

    kind: str
    why: str = ""
    hold: str = ""


@dataclass(frozen=True)
class Decision:
    """The next state, what to do (RESTART, STOP or nothing) and what to tell."""

    state: State
    action: str = ""
    events: tuple[dict[str, Any], ...] = field(default=())


def decide(limits: Limits, state: State, seen: Seen, now: float) -> Decision:
    """One look, judged."""
    if seen.kind == ANSWERED:
        return _answered(state, now)
    if seen.hold:
        return _held(state, seen, now)
    if state.breaker:
        return Decision(state)
    if seen.kind in (BUSY, UNCLEAR):
        failures = 0 if seen.kind == BUSY else state.failures
        return Decision(replace(state, failures=failures, note=seen.kind), "", _once(state, seen.kind, seen.why))
    if seen.kind == GONE:
        return _again(limits, _failed(state, now), "its process is gone", now)
    if state.phase == STARTING and seen.kind in (REFUSED, SLOW):
        if now - state.since <= limits.start_budget_s:
            return Decision(state)
        return _again(limits, _failed(state, now), f"no completion within its start budget: {seen.why}", now)
    if seen.kind == REFUSED and limits.begins_itself:
        return _began_itself(limits, _failed(state, now), now)
    failed = replace(_failed(state, now), note="failed")
    told = ({"event": "failed", "kind": seen.kind, "why": seen.why, "in_a_row": failed.failures},)
    if failed.failures < limits.failures:
        return Decision(failed, "", told)
    after = _again(limits, failed, f"{failed.failures} failures in a row: {seen.why}", now)
    return replace(after, events=told + after.events)


def _answered(state: State, now: float) -> Decision:
    """All is well; after a fault its end is told, and an open breaker closes: somebody has mended it."""
    events: tuple[dict[str, Any], ...] = ()
    if state.fault_at is not None:
        events += ({"event": "recovered", "seconds": round(now - state.fault_at, 1)},)
    if state.breaker:
        events += ({"event": "closed", "why": "it answers; it was not the watchdog that started it"},)
    since = state.since if state.phase == SERVING else now
    return Decision(
        replace(state, phase=SERVING, since=since, failures=0, fault_at=None, breaker="", note="", last_ok=now),
        "",
        events,
    )


def _held(state: State, seen: Seen, now: float) -> Decision:
    """Somebody else works here.  What is loading then gets its whole budget once they have left."""
    after = replace(state, failures=0, note=f"held: {seen.hold}")
    if seen.kind in (GONE, REFUSED):
        after = replace(after, phase=STARTING, since=now)
    return Decision(after, "", _once(state, f"held: {seen.hold}", seen.why, event="held", hold=seen.hold))


def _failed(state: State, now: float) -> State:
    return replace(state, failures=state.failures + 1, fault_at=now if state.fault_at is None else state.fault_at)


def _recent(limits: Limits, state: State, now: float) -> tuple[float, ...]:
    return tuple(at for at in state.restarts if now - limits.within_s < at <= now)


def _again(limits: Limits, state: State, why: str, now: float) -> Decision:
    """Start it anew, unless that was done `restarts` times within the window: then it stays down."""
    recent = _recent(limits, state, now)
    if recent and now - recent[-1] < limits.pause_s * 2 ** (len(recent) - 1):
        return Decision(state)
    if len(recent) >= limits.restarts:
        return _open(limits, replace(state, restarts=recent), why)
    begun = replace(state, phase=STARTING, since=now, failures=0, restarts=(*recent, now), note="")
    return Decision(begun, RESTART, ({"event": "restart", "why": why, "restarts": len(recent) + 1},))


def _began_itself(limits: Limits, state: State, now: float) -> Decision:
    """The runtime was quicker; its start counts as ours do."""
    recent = _recent(limits, state, now)
    if len(recent) >= limits.restarts:
        return _open(limits, replace(state, restarts=recent), "it ends and is begun again and again")
    begun = replace(state, phase=STARTING, since=now, failures=0, restarts=(*recent, now), note="")
    return Decision(begun, "", ({"event": "began again by itself", "restarts": len(recent) + 1},))


def _open(limits: Limits, state: State, why: str) -> Decision:
    opened = f"{len(state.restarts)} restarts within {limits.within_s:g} s did not help: {why}"
    return Decision(replace(state, breaker=opened, failures=0, note=""), STOP, ({"event": "opened", "why": opened},))


def _once(state: State, note: str, why: str, **more: Any) -> tuple[dict[str, Any], ...]:
    """Tell it unless it was the last thing told."""
    return () if state.note == note else ({"event": note, "why": why, **more},)


def reset(state: State, now: float) -> State:
    """A person closes the breaker: the window is emptied, and the engine gets its whole start budget."""
    return replace(state, breaker="", restarts=(), failures=0, note="", phase=STARTING, since=now)
