"""The arithmetic of a drill: faults seen of those played, false alarms of healthy runs, by claim and in all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assumptions._core import Outcome, Stage

DETECTION = 0.95  # share of the faults that must be seen


@dataclass(frozen=True, slots=True)
class Played:
    """One pair after it was played."""

    claim: str
    version: int
    stage: Stage
    ground: str
    fault: str
    says: str
    expected: tuple[Outcome, ...]
    outcome: Outcome
    because: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Calm:
    """One healthy run of a claim."""

    claim: str
    version: int
    stage: Stage
    ground: str
    outcome: Outcome
    because: str
    seconds: float

    @property
    def alarm(self) -> bool:
        """A healthy run must not FAIL; that it is UNKNOWN is no alarm."""
        return self.outcome is Outcome.FAIL


Place = tuple[str, Stage, str]  # claim, stage, ground


@dataclass(frozen=True, slots=True)
class Score:
    """One claim's figures, or all claims' together."""

    seen: int
    played: int
    false_alarms: int
    healthy_runs: int
    missed: tuple[str, ...]

    @property
    def detection(self) -> float | None:
        """Share of the faults that were seen; None where none was played."""
        return self.seen / self.played if self.played else None

    @property
    def good(self) -> bool:
        """Enough faults seen, none of the healthy runs failed, and both were tried."""
        share = self.detection
        return share is not None and share >= DETECTION and self.false_alarms == 0 and self.healthy_runs > 0


def usual(calm: Iterable[Calm]) -> dict[Place, frozenset[Outcome]]:
    """What each claim says without a fault."""
    found: dict[Place, set[Outcome]] = {}
    for each in calm:
        found.setdefault((each.claim, each.stage, each.ground), set()).add(each.outcome)
    return {place: frozenset(outcomes) for place, outcomes in found.items()}


def seen(played: Played, before: Mapping[Place, frozenset[Outcome]]) -> bool:
    """An expected outcome, and another one than without the fault.

    A claim that is UNKNOWN anyway has not seen a fault by being UNKNOWN, and one that was never judged without it
    has not seen anything.
    """
    without = before.get((played.claim, played.stage, played.ground))
    return without is not None and played.outcome in played.expected and played.outcome not in without


def score(played: Sequence[Played], calm: Sequence[Calm]) -> Score:
    """The figures of these pairs and runs."""
    before = usual(calm)
    missed = tuple(each.fault for each in played if not seen(each, before))
    alarms = sum(each.alarm for each in calm)
    return Score(len(played) - len(missed), len(played), alarms, len(calm), missed)


def by_claim(played: Sequence[Played], calm: Sequence[Calm]) -> dict[str, Score]:
    """The figures of each claim, by id."""
    names = sorted({each.claim for each in played} | {each.claim for each in calm})
    return {
        name: score([each for each in played if each.claim == name], [each for each in calm if each.claim == name])
        for name in names
    }
