"""How often two judges agree that something should happen: precision, recall and F1, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions.formulas.intervals import CONFIDENCE, Interval, wilson


@dataclass(frozen=True, slots=True)
class Counts:
    """Both said yes; only ours did; only theirs did; neither did."""

    both: int
    ours_alone: int
    theirs_alone: int
    neither: int

    @property
    def trials(self) -> int:
        """All of them."""
        return self.both + self.ours_alone + self.theirs_alone + self.neither


def f1(counts: Counts) -> float | None:
    """The harmonic mean of precision and recall; None where neither ever said yes."""
    of = 2 * counts.both + counts.ours_alone + counts.theirs_alone
    return 2 * counts.both / of if of else None


def f1_interval(counts: Counts, confidence: float = CONFIDENCE) -> Interval:
    """Wide enough for precision and recall at once (Bonferroni): F1 grows with both, so its ends are theirs."""
    each = 1 - (1 - confidence) / 2
    precision = wilson(counts.both, counts.both + counts.ours_alone, each)
    recall = wilson(counts.both, counts.both + counts.theirs_alone, each)
    low, high = (_mean(p, r) for p, r in zip(precision, recall, strict=True))
    return low, high


def _mean(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
