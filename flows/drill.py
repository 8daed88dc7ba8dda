"""Plays faults against claims, and healthy runs beside them; what each claim said goes to the score."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from assumptions._core import Finding, Stage
from assumptions._judge import failed
from assumptions._registry import claim
from flows.drill_pairs import Ground, Healthy, Look, Pair
from flows.drill_score import Calm, Played
from inventories.errors import BadInput

SLOW_S = 10.0  # a claim whose healthy run takes longer joins every fourth round alone
EVERY = 4
ALIKE = 2  # rounds on a ground that answers from recordings: a third could say nothing new

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Chosen:
    """What of the catalogue is played: all, or what is named; `rounds` of healthy runs."""

    only: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    rounds: int = 20

    def pairs(self, ground: Ground) -> list[Pair]:
        """The ground's pairs that were asked for."""
        return [
            pair
            for pair in ground.pairs()
            if (not self.only or pair.claim in self.only) and (not self.faults or pair.fault in self.faults)
        ]

    def healthy(self, ground: Ground, pairs: Sequence[Pair]) -> list[Healthy]:
        """The healthy runs of those pairs' claims."""
        places = {(pair.claim, pair.stage) for pair in pairs}
        return [each for each in ground.healthy() if (each.claim, each.stage) in places]


@dataclass
class Results:
    """Everything that was played.  `whole` are the claims of which nothing was left out."""

    played: list[Played] = field(default_factory=list)
    calm: list[Calm] = field(default_factory=list)
    whole: set[str] = field(default_factory=set)


def play(
    grounds: Sequence[Ground], every: Sequence[Ground], chosen: Chosen, tell: Tell, results: Results | None = None
) -> Results:
    """One ground after another; within one a claim's healthy run comes before its faults, the other rounds after.

    `every` are all grounds that there are: a claim is whole where all its pairs on all of them were played.
    `results` grows as it goes, so that a drill that is interrupted leaves what it has.
    """
    results = Results() if results is None else results
    plan = [(ground, chosen.pairs(ground)) for ground in grounds]
    if not any(pairs for _, pairs in plan):
        raise _nothing(every, chosen)
    for ground, pairs in plan:
        if pairs:
            _play(ground, pairs, chosen, results, tell)
    done = {(pair.claim, pair.stage, pair.fault) for _, pairs in plan for pair in pairs}
    there: dict[str, set[tuple[str, Stage, str]]] = {}
    for ground in every:
        for pair in ground.pairs():
            there.setdefault(pair.claim, set()).add((pair.claim, pair.stage, pair.fault))
    results.whole = {name for name, keys in there.items() if keys <= done}
    return results


def _play(ground: Ground, pairs: list[Pair], chosen: Chosen, results: Results, tell: Tell) -> None:
    calm = chosen.healthy(ground, pairs)
    rounds = chosen.rounds if ground.served else min(chosen.rounds, ALIKE)
    total, began = len(pairs), time.monotonic()
    tell(f"{ground.name}: {total} faults for {len(calm)} claims, {rounds} healthy rounds")
    slow, number = set(), 0
    for place in calm:
        run = _calm(ground, place)
        results.calm.append(run)
        if run.seconds > SLOW_S:
            slow.add((place.claim, place.stage))
        _tell_calm(run, tell)
        for pair in pairs:
            if (pair.claim, pair.stage) == (place.claim, place.stage):
                number += 1
                done = _played(ground, pair)
                results.played.append(done)
                at = f"{ground.name} {number}/{total}: {done.claim}: {done.fault}"
                tell(f"{at}: {done.outcome} in {done.seconds:.1f} s")
    for round_ in range(1, rounds):
        tell(f"{ground.name}: healthy round {round_ + 1} of {rounds}, {time.monotonic() - began:.0f} s so far")
        for place in calm:
            if (place.claim, place.stage) in slow and round_ % EVERY:
                continue
            run = _calm(ground, place)
            results.calm.append(run)
            if run.alarm:
                _tell_calm(run, tell)


def _tell_calm(run: Calm, tell: Tell) -> None:
    alarm = f": FALSE ALARM: {run.because}" if run.alarm else ""
    tell(f"{run.ground}: {run.claim} at {run.stage} without a fault: {run.outcome} in {run.seconds:.1f} s{alarm}")


def _timed(look: Look) -> tuple[Finding, float]:
    """What breaks a judgement makes it UNKNOWN, as in a run."""
    began = time.monotonic()
    try:
        found = look()
    except Exception as error:
        found = failed(error)
    return found, round(time.monotonic() - began, 3)


def _calm(ground: Ground, place: Healthy) -> Calm:
    found, seconds = _timed(place.play)
    version = claim(place.claim).version
    return Calm(place.claim, version, place.stage, ground.name, found.outcome, found.because, seconds)


def _played(ground: Ground, pair: Pair) -> Played:
    found, seconds = _timed(pair.play)
    return Played(
        claim=pair.claim,
        version=claim(pair.claim).version,
        stage=pair.stage,
        ground=ground.name,
        fault=pair.fault,
        says=pair.says,
        expected=tuple(sorted(pair.expected)),
        outcome=found.outcome,
        because=found.because,
        seconds=seconds,
    )


def _nothing(every: Sequence[Ground], chosen: Chosen) -> BadInput:
    pairs = [pair for ground in every for pair in ground.pairs()]
    claims, faults = sorted({pair.claim for pair in pairs}), sorted({pair.fault for pair in pairs})
    known = f"claims: {', '.join(claims)}; faults: {', '.join(faults)}"
    return BadInput(
        "no drill is like that: nothing was played",
        where=" ".join((*(f"--only {each}" for each in chosen.only), *(f"--fault {each}" for each in chosen.faults))),
        fix=f"choose of these (the faults of the served engine are left out by --quick): {known}",
    )
