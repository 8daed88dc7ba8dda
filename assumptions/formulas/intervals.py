"""How far a measured figure may be from the truth: Wilson for rates, order statistics and bootstrap for latencies.

Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference"; Efron, B. (1979),
"Bootstrap methods: another look at the jackknife", the percentile form; Thompson, W. R. (1936), "On confidence ranges
for the median", which needs no form of the distribution and holds for few values too.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import NormalDist

CONFIDENCE = 0.95
RESAMPLES = 2_000
SEED = 20_261_122  # the same values give the same interval, so that a verdict can be made again

FEWEST = 6  # of fewer values not even the least and the greatest hold the median at 95 %: 1 - 2 / 2**5 = 0.9375

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


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """The innermost pair of values that holds the median with `confidence`; None for too few.  ValueError for nan."""
    if not all(map(math.isfinite, values)):
        raise ValueError("an interval needs finite values")
    _z(confidence)
    ordered, count = sorted(values), len(values)
    outside, at = 0.0, -1  # the chance that the median lies below the value at `at`
    while 1 - 2 * (outside + math.comb(count, at + 1) / 2**count) >= confidence:
        at += 1
        outside += math.comb(count, at) / 2**count
    return None if at < 0 else (ordered[at], ordered[count - 1 - at])


def at_most(interval: Interval | None, limit: float) -> bool | None:
    """True where even the upper end is no more than `limit`, False where even the lower one is more, None between."""
    if interval is None:
        return None
    return True if interval[1] <= limit else False if interval[0] > limit else None


def at_least(interval: Interval | None, limit: float) -> bool | None:
    """True where even the lower end is no less than `limit`, False where even the upper one is less, None between."""
    if interval is None:
        return None
    return True if interval[0] >= limit else False if interval[1] < limit else None


def batch_rates(ends_s: Sequence[float], size: int) -> list[float]:
    """Completions a second of each `size` completions in turn, counted from 0; what is left over makes no batch.

    Completions of one round come together, so that one of them alone is no independent measurement; rounds nearly are.
    """
    if size < 1:
        raise ValueError("a batch needs one completion at least")
    marks = [0.0, *sorted(ends_s)[size - 1 :: size]]
    return [size / (later - earlier) for earlier, later in pairwise(marks) if later > earlier]


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
