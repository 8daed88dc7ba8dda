"""When a break-even may be given at all, and the answer that holds no number when it may not."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions.formulas.capacity import Capacity
from assumptions.formulas.case import Case, Way
from assumptions.formulas.money import BadAssumption

NOTHING_MEASURED = Capacity(None, None, None)
FIT = "whether the model fits on the machine"


@dataclass(frozen=True, slots=True)
class NotEstablished:
    """Nothing can be said about breaking even before these are known; it carries no figure."""

    what_to_measure: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.what_to_measure:
            raise BadAssumption("an answer that is not established must say what to measure")


def established(fit_holds: bool, throughput_measured: bool) -> bool:
    """Whether a break-even may be given: the model fits, and its throughput at the SLO was measured."""
    for name, value in (("fit_holds", fit_holds), ("throughput_measured", throughput_measured)):
        if not isinstance(value, bool):
            raise BadAssumption(f"{name} must be true or false")
    return fit_holds and throughput_measured


def gap(case: Case, way: Way, fit_holds: bool) -> NotEstablished | None:
    """What stands between this machine and a break-even; None when nothing does."""
    capacity = case.machine(way).capacity or NOTHING_MEASURED
    missing = capacity.missing(case.load.most())
    if established(fit_holds, not missing):
        return None
    rates = tuple(f"{name.replace('_', ' ')} tokens per second at the SLO" for name in missing)
    return NotEstablished(((FIT,) if not fit_holds else ()) + rates)
