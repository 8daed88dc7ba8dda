"""What a machine serves while the SLO holds, and how much of that a load takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assumptions.formulas.money import SECONDS_PER_MONTH, BadAssumption, Quantity, best, check
from assumptions.formulas.tokens import LEAST_RATE, Tokens

CLASSES = ("input", "cached_input", "output")


@dataclass(frozen=True, slots=True)
class Capacity:
    """Tokens per second of each class, measured while the SLO held; None is "not measured".

    `measured` says how: `together` in one run at the load's mix, or `apart`, one class at a time, so that the
    machine has to share its time between them.  Utilisation is tokens served over tokens servable at the SLO, in
    the mean over a month; `utilisation_share` is the most one plans for.
    """

    input_tokens_per_second: Quantity | None
    cached_input_tokens_per_second: Quantity | None
    output_tokens_per_second: Quantity | None
    utilisation_share: Quantity = 1.0
    measured: Literal["together", "apart"] = "together"

    def __post_init__(self) -> None:
        rates = [f"{name}_tokens_per_second" for name in CLASSES]
        check(self, {name: (LEAST_RATE, 1e12) for name in rates if getattr(self, name) is not None})
        check(self, {"utilisation_share": (0.0, 1.0)})
        if self.measured not in ("together", "apart"):
            raise BadAssumption(f"measured is {self.measured!r}; together or apart is needed")

    def missing(self, load: Tokens) -> tuple[str, ...]:
        """The classes that the load holds and nobody measured."""
        return tuple(c for c in CLASSES if getattr(load, c) > 0 and getattr(self, f"{c}_tokens_per_second") is None)

    def utilisation(self, load: Tokens) -> float:
        """The utilisation at which this month of load would be served whole; above one it can't be."""
        if missing := self.missing(load):
            raise BadAssumption(f"no measured tokens per second for {', '.join(missing)}")
        shares: list[float] = [
            getattr(load, c) / (best(getattr(self, f"{c}_tokens_per_second")) * SECONDS_PER_MONTH)
            for c in CLASSES
            if getattr(load, c) > 0
        ]
        return max(shares) if self.measured == "together" else sum(shares)

    def ceiling(self, peak_to_mean: float) -> float:
        """The highest mean utilisation that still serves every peak, or the planned one if that is lower.

        The load is taken to be on or off: at its peak for 1/peak_to_mean of the time and nothing in between.
        """
        return min(best(self.utilisation_share), 1 / peak_to_mean)
