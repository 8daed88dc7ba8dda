"""A served engine beside a recorded reference, passage by passage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assumptions._quality_reference import Reference, Run
from assumptions.formulas.divergence import Apart, apart
from assumptions.formulas.intervals import Interval, bootstrap


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over one passage's tokens of one engine beside the reference's first run."""

    tokens: int
    kl: float  # nats
    same_top: int
    covered: float
    logprob_gap: float  # the reference's log-probability of the passage less the other's


@dataclass(frozen=True, slots=True)
class Compared:
    """One passage: ours, and the reference's own repeats, beside its first run."""

    passage: str
    ours: Sums | None  # None: the tokens differ
    repeats: tuple[Sums, ...]


def compared(reference: Reference, ask: Callable[[str], Run]) -> tuple[Compared, ...]:
    """Every passage of the reference; `ask` scores the passage of that name."""
    return tuple(
        Compared(name, sums(runs[0], ask(name)), tuple(s for r in runs[1:] if (s := sums(runs[0], r)) is not None))
        for name, runs in reference.runs.items()
    )


def sums(first: Run, other: Run) -> Sums | None:
    """None where the two were not cut into the same tokens."""
    if not first or [token.text for token in first] != [token.text for token in other]:
        return None
    found: list[Apart] = [apart(a.top, b.top) for a, b in zip(first, other, strict=True)]
    return Sums(
        tokens=len(found),
        kl=sum(each.kl for each in found),
        same_top=sum(each.same_top for each in found),
        covered=sum(each.covered for each in found),
        logprob_gap=sum(a.logprob - b.logprob for a, b in zip(first, other, strict=True)),
    )


def per_token(passages: Sequence[Sums], field: str) -> tuple[float, Interval]:
    """A field's mean over all tokens, with an interval that draws whole passages.  ValueError for no passage."""

    def mean(drawn: Sequence[float]) -> float:
        chosen = [passages[int(number)] for number in drawn]
        return float(sum(getattr(each, field) for each in chosen)) / sum(each.tokens for each in chosen)

    numbers = [float(number) for number in range(len(passages))]
    return mean(numbers), bootstrap(numbers, mean)
