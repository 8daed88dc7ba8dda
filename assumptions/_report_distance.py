"""How far a claim stands from its threshold, where both are numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from assumptions._core import Finding, Outcome, Sense
from assumptions._report_text import number

TIMES = 10  # from here on a share reads better as a multiple


@dataclass(frozen=True, slots=True)
class Distance:
    """`room` is what is to spare, negative where the limit is passed; `share` is its size by the limit, if not 0."""

    value: float
    limit: float
    sense: Sense
    unit: str
    crossed: bool = False  # the interval around the value holds the limit

    @property
    def room(self) -> float:
        """In the claim's own unit."""
        return self.value - self.limit if self.sense is Sense.LEAST else self.limit - self.value

    @property
    def share(self) -> float | None:
        """Of the limit, without its sign."""
        return abs(self.room / self.limit) if self.limit else None

    @property
    def text(self) -> str:
        """Short by 12 GiB (30 %), over by 3 files, 5 s to spare (10 %), or at the limit."""
        if not self.room:
            return f"at the limit: {number(self.limit)} {self.unit}".strip()
        amount = f"{_figure(abs(self.room), self.limit)} {self.unit}".strip() + _share(self.share)
        if self.room > 0:
            return f"to spare: {amount}"
        return f"{'short by' if self.sense is Sense.LEAST else 'over by'} {amount}"

    @property
    def against(self) -> str:
        """Both figures: 139.87, and at most 72.85 GiB."""
        return f"{number(self.value)}, and {self.sense} {number(self.limit)} {self.unit}".strip()


def distance(finding: Finding) -> Distance | None:
    """None where there are no two numbers, or where something else than this figure made the outcome."""
    value, limit = finding.value, finding.limit
    if value is None or limit is None or not (math.isfinite(value) and math.isfinite(limit)):
        return None
    around = finding.interval or ()
    crossed = len(around) == 2 and around[0] < limit < around[1]
    found = Distance(value, limit, finding.sense, finding.unit, crossed)
    tells = {Outcome.PASS: found.room >= 0, Outcome.FAIL: found.room < 0, Outcome.UNKNOWN: True}
    return found if tells.get(finding.outcome, False) else None


def _figure(amount: float, limit: float) -> str:
    """To four digits behind the first one of the larger of the two: 67.02, 433,265."""
    size = max(amount, abs(limit))
    return number(round(amount, max(0, 4 - math.floor(math.log10(size))))) if size else "0"


def _share(share: float | None) -> str:
    if share is None:
        return ""
    return f" ({share:.0f} times the limit)" if share >= TIMES else f" ({share:.1%})".replace(".0%", "%")
