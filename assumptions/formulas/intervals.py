"""How far a measured figure may be from the truth: Wilson for rates, bootstrap for latencies.

Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference"; Efron, B. (1979),
"Bootstrap methods: another look at the jackknife", the percentile form.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from statistics import NormalDist

CONFIDENCE = 0.95
RESAMPLES = 2_000
SEED = 20_261_122  # the same values give the same interval, so that a verdict can be made again

Interval = tuple[float, float]


def wilson(hits: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a rate from `hits` of `trials`; 0 to 1 without a trial.  ValueError for impossible counts."""
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials} is no rate")
    if not trials:
        return 0.0, 1.0
    z = _z(confidence)
    rate, share = hits / trials, z * z / trials
    middle = rate + share / 2
    spread = z * math.sqrt(rate * (1 - rate) / trials + share / (4 * trials))
    low, high = (middle - spread) / (1 + share), (middle + spread) / (1 + share)
    return (0.0 if hits == 0 else max(0.0, low)), (1.0 if hits == trials else min(1.0, high))


def bootstrap(
    values: Sequence[float],
    statistic: Callable[[Sequence[float]], float],
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
) -> Interval:
    """The percentile interval of a statistic of `values`; one value is its own interval.  ValueError for none."""
    if not values or not all(map(math.isfinite, values)):
        raise ValueError("an interval needs finite values, one at least")
    _z(confidence)
    chance = random.Random(SEED)  # noqa: S311 - no secret
    found = sorted(statistic(chance.choices(values, k=len(values))) for _ in range(resamples))
    tail = (1 - confidence) / 2
    return quantile(found, tail), quantile(found, 1 - tail)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie, interpolated between two.  ValueError for none."""
    if not values or not 0 <= share <= 1:
        raise ValueError("a quantile needs values and a share from 0 to 1")
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low, rest = int(at), at - int(at)
    return ordered[low] if not rest else ordered[low] + (ordered[low + 1] - ordered[low]) * rest


def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"{confidence} is no confidence")
    return NormalDist().inv_cdf((1 + confidence) / 2)
