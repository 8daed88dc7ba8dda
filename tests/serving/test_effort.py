"""Effort: more of it never thinks less, and nothing it asks for leaves the context."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.effort import ANSWER_TOKENS, MAX_BUDGET, MIN_BUDGET, Effort

shares = st.floats(0, 1)
contexts = st.integers(MIN_BUDGET + ANSWER_TOKENS, 2_000_000)


@pytest.mark.parametrize(
    ("share", "context", "budget"),
    [
        (0.0, 262_144, 1_000),
        (1.0, 262_144, 256_000),
        (0.5, 262_144, 16_000),
        (1.0, 32_768, 28_672),
        (0.0, 32_768, 1_000),
        (1.0, 1_000_000, 256_000),
    ],
)
def test_both_ends_and_the_middle(share: float, context: int, budget: int) -> None:
    assert Effort(share).budget(context) == budget


@given(shares, shares, contexts)
def test_more_effort_never_thinks_less(one: float, other: float, context: int) -> None:
    low, high = sorted((one, other))
    assert Effort(low).budget(context) <= Effort(high).budget(context)


@given(shares, contexts, st.integers(0, 10_000))
def test_more_context_never_thinks_less(share: float, context: int, more: int) -> None:
    assert Effort(share).budget(context) <= Effort(share).budget(context + more)


@given(shares, contexts)
def test_the_budget_is_bounded_and_an_answer_fits_behind_it(share: float, context: int) -> None:
    asked = Effort(share).request(context)
    budget, room = asked["thinking_token_budget"], asked["max_tokens"]
    assert MIN_BUDGET <= budget <= MAX_BUDGET
    assert room <= context
    assert room - budget == ANSWER_TOKENS


@given(shares, st.integers(16, MIN_BUDGET + ANSWER_TOKENS))
def test_a_small_context_never_asks_for_more_than_it_has(share: float, context: int) -> None:
    asked = Effort(share).request(context)
    assert asked["max_tokens"] <= context
    assert 0 <= asked["thinking_token_budget"] < asked["max_tokens"]


@pytest.mark.parametrize("share", [-0.01, 1.01, float("nan"), float("inf"), -float("inf")])
def test_effort_outside_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Effort(share)
