"""Answers with ends: what each figure is at the mid of every input, and how far the inputs' ranges can move it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assumptions.formulas.case import Case, pinned, ranges
from assumptions.formulas.money import BadAssumption
from assumptions.formulas.shapes import Range

NEVER = float("inf")
Measure = Callable[[Case], Sequence[float]]


@dataclass(frozen=True, slots=True)
class RangeOrNever:
    """A Range whose ends may be None for "never"; never lies above every number."""

    low: float | None
    mid: float | None
    high: float | None

    def __post_init__(self) -> None:
        low, mid, high = (NEVER if edge is None else edge for edge in (self.low, self.mid, self.high))
        if not low <= mid <= high:
            raise BadAssumption(f"a range needs low <= mid <= high, not {self.low}, {self.mid}, {self.high}")

    @classmethod
    def of(cls, found: Range) -> RangeOrNever:
        """The same ends, with infinity as never."""
        return cls(*(None if edge == NEVER else edge for edge in (found.low, found.mid, found.high)))


def spread(case: Case, measure: Measure) -> list[Range]:
    """Each figure of `measure` as a Range; the first figure decides where another one can't tell two ends apart.

    Evaluated are the mid of every input, each input alone at its two ends, and, for each figure, the two corners
    where every input stands at the end that made it smaller, or larger, when moved alone.  So the ends are exact
    where a figure only rises or only falls with each input whatever the others are, and else the widest found.
    """
    inputs = ranges(case)
    known: dict[tuple[float, ...], Sequence[float]] = {}

    def at(values: Mapping[str, float]) -> Sequence[float]:
        key = tuple(values.get(name, inputs[name].mid) for name in inputs)
        if key not in known:
            known[key] = measure(pinned(case, values))
        return known[key]

    mid = at({})
    ends = {name: (at({name: r.low}), at({name: r.high})) for name, r in inputs.items()}
    for index in range(len(mid)):
        low_is_smaller = {name: _falls_short(*ends[name], index) for name in inputs}
        at({name: r.low if low_is_smaller[name] else r.high for name, r in inputs.items()})
        at({name: r.high if low_is_smaller[name] else r.low for name, r in inputs.items()})
    columns = list(zip(*known.values(), strict=True))
    return [Range(min(column), middle, max(column)) for column, middle in zip(columns, mid, strict=True)]


def _falls_short(at_low: Sequence[float], at_high: Sequence[float], index: int) -> bool:
    if at_low[index] != at_high[index]:
        return at_low[index] < at_high[index]
    return at_low[0] > at_high[0]  # a figure that is "never" at both ends: what the first one gains, it would lose
