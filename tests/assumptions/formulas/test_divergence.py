"""KL over what two engines tell of their likeliest tokens: a lower bound, 0 for the same, and the mass in sight."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assumptions.formulas.agreement import Counts, f1, f1_interval
from assumptions.formulas.divergence import apart, top


def logs(*shares: float, names: str = "abcdefgh") -> dict[str, float]:
    return {name: math.log(share) for name, share in zip(names, shares, strict=False)}


def test_the_same_is_nothing_apart() -> None:
    found = apart(logs(0.7, 0.2, 0.05), logs(0.7, 0.2, 0.05))
    assert (found.kl, found.same_top) == (pytest.approx(0, abs=1e-12), True)
    assert found.covered == pytest.approx(0.95)


def test_a_known_divergence() -> None:
    expected = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert apart(logs(0.5, 0.5), logs(0.25, 0.75)).kl == pytest.approx(expected)
    assert not apart(logs(0.6, 0.4), logs(0.25, 0.75)).same_top


def test_tokens_that_only_one_names_are_one_bucket() -> None:
    found = apart(logs(0.9, 0.1), logs(0.9, 0.1, names="az"))
    assert found.covered == pytest.approx(0.9)
    assert found.kl == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="names one token"):
        apart({}, logs(1.0))


def test_nothing_in_common_is_far() -> None:
    found = apart(logs(1.0), logs(1.0, names="z"))
    assert found.covered == 0 and found.kl == pytest.approx(0, abs=1e-6) and not found.same_top


def test_of_equals_the_first_by_name_is_likeliest() -> None:
    assert top({"b": -1.0, "a": -1.0, "c": -2.0}) == "a"


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=8), st.lists(st.floats(0.01, 1), min_size=8, max_size=8))
def test_never_negative_and_never_more_than_over_all_tokens(p: list[float], q: list[float]) -> None:
    q = q[: len(p)]
    whole_p, whole_q = logs(*(x / sum(p) for x in p)), logs(*(x / sum(q) for x in q))
    full = apart(whole_p, whole_q).kl
    cut_p = dict(list(whole_p.items())[: len(p) - 1])
    assert 0 <= apart(cut_p, whole_q).kl <= full + 1e-6


def test_f1_and_its_ends() -> None:
    counts = Counts(90, 10, 20, 80)
    low, high = f1_interval(counts)
    score = f1(counts)
    assert score == pytest.approx(180 / 210)
    assert score is not None and low < score < high
    assert counts.trials == 200
    assert f1(Counts(0, 0, 0, 5)) is None
    assert f1_interval(Counts(0, 0, 0, 5)) == (0.0, 1.0)
    assert f1_interval(Counts(0, 3, 3, 0))[0] == 0.0
