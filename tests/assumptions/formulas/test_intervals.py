"""Intervals against known values: Newcombe's table for Wilson, SciPy's own where it is installed."""

import random
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assumptions.formulas.intervals import (
    FEWEST,
    at_least,
    at_most,
    batch_rates,
    bootstrap,
    median_interval,
    quantile,
    wilson,
)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [  # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_wilson_gives_the_published_values(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


@settings(deadline=None)  # SciPy's first import
@given(st.integers(0, 400), st.integers(0, 400), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_wilson_is_scipys(hits: int, more: int, confidence: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    trials = hits + more
    if trials:
        own = stats.binomtest(hits, trials).proportion_ci(confidence, method="wilson")
        assert wilson(hits, trials, confidence) == (pytest.approx(own.low, abs=1e-9), pytest.approx(own.high, abs=1e-9))
    else:
        assert wilson(0, 0, confidence) == (0.0, 1.0)


def test_a_bootstrap_covers_the_truth_as_often_as_it_says() -> None:
    chance = random.Random(7)
    held = 0
    for _ in range(120):
        low, high = bootstrap([chance.gauss(10, 2) for _ in range(40)], mean, resamples=300)
        held += low <= 10 <= high
    assert 0.88 <= held / 120 <= 0.99


def test_a_bootstrap_is_close_to_scipys_and_always_the_same() -> None:
    import numpy

    stats = pytest.importorskip("scipy.stats")
    values = [random.Random(n).expovariate(1) for n in range(200)]
    own = stats.bootstrap((values,), numpy.median, method="percentile", rng=numpy.random.default_rng(1))
    low, high = bootstrap(values, lambda v: quantile(v, 0.5))
    assert (low, high) == bootstrap(values, lambda v: quantile(v, 0.5))
    assert low == pytest.approx(own.confidence_interval.low, rel=0.08)
    assert high == pytest.approx(own.confidence_interval.high, rel=0.08)


def test_what_has_no_interval() -> None:
    assert bootstrap([3.0], mean) == (3.0, 3.0)
    for wrong in (lambda: wilson(3, 2), lambda: wilson(-1, 2), lambda: bootstrap([], mean), lambda: quantile([], 0.5)):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(ValueError):
        bootstrap([1.0, float("nan")], mean)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 1))
def test_a_quantile_lies_inside(values: list[float], share: float) -> None:
    assert min(values) <= quantile(values, share) + 1e-6 and quantile(values, share) - 1e-6 <= max(values)


@pytest.mark.parametrize(
    ("count", "ranks"),
    [  # the ranks of the published tables for a median at 95 % (Conover, "Practical Nonparametric Statistics")
        (6, (1, 6)),
        (8, (1, 8)),
        (9, (2, 8)),
        (10, (2, 9)),
        (12, (3, 10)),
        (20, (6, 15)),
        (30, (10, 21)),
    ],
)
def test_a_medians_interval_has_the_published_ranks(count: int, ranks: tuple[int, int]) -> None:
    values = random.Random(3).sample(range(1, count + 1), count)
    assert median_interval(list(map(float, values))) == ranks


def test_too_few_values_hold_no_median() -> None:
    for count in range(FEWEST):
        assert median_interval([1.0] * count) is None
    assert median_interval([1.0] * FEWEST) == (1.0, 1.0)
    with pytest.raises(ValueError):
        median_interval([float("nan")] * 9)


def test_a_medians_interval_covers_the_truth_at_least_as_often_as_it_says() -> None:
    chance, held = random.Random(11), 0
    for _ in range(400):
        low, high = median_interval([chance.lognormvariate(0, 1) for _ in range(8)]) or (2.0, 2.0)
        held += low <= 1 <= high
    assert held / 400 >= 0.95


def test_the_unfavourable_end_decides_and_between_is_not_known() -> None:
    assert [at_most((1.0, 2.0), limit) for limit in (2.0, 1.9, 1.0, 0.9)] == [True, None, None, False]
    assert [at_least((1.0, 2.0), limit) for limit in (1.0, 1.1, 2.0, 2.1)] == [True, None, None, False]
    assert at_most(None, 1.0) is None and at_least(None, 1.0) is None


def test_a_batch_is_a_round_and_what_is_left_over_is_none() -> None:
    assert batch_rates([4.0, 1.0, 1.0, 2.0, 2.0, 4.0, 9.0], 2) == [2.0, 2.0, 1.0]
    assert batch_rates([], 2) == batch_rates([1.0], 2) == []
    with pytest.raises(ValueError):
        batch_rates([1.0], 0)
