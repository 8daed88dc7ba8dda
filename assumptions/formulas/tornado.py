"""Which input the answer hangs on: each one moved alone over its range, the widest swing first."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions.formulas.case import Case, Way, pinned, ranges
from assumptions.formulas.established import NotEstablished, gap
from assumptions.formulas.worth import npv_against_api_usd


@dataclass(frozen=True, slots=True)
class Swing:
    """One input alone at its low and its high end, every other at its mid, and the NPV against the API there.

    `swing_usd` is the widest gap between those two and the NPV with every input at its mid.
    """

    input: str
    low: float
    high: float
    npv_at_low_usd: float
    npv_at_high_usd: float
    swing_usd: float


def tornado(case: Case, way: Way, *, fit_holds: bool) -> tuple[Swing, ...] | NotEstablished:
    """The swing on NPV of every input that is a Range, the widest first; an input given as one number has none."""
    if unknown := gap(case, way, fit_holds):
        return unknown
    case = case.only(way)
    mid = npv_against_api_usd(case, way)
    swings = []
    for name, edges in ranges(case).items():
        low, high = (npv_against_api_usd(pinned(case, {name: edge}), way) for edge in (edges.low, edges.high))
        swings.append(Swing(name, edges.low, edges.high, low, high, max(low, mid, high) - min(low, mid, high)))
    return tuple(sorted(swings, key=lambda swing: (-swing.swing_usd, swing.input)))
