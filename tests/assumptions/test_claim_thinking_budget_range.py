"""thinking-budget-range: both ends taken, room for the most, and the default that the engine documents."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.thinking_budget_range import DEFAULT, Field, Range, Tried, judge
from serving.client import Reply
from tests.assumptions.served_api import BROKEN, GONE, REAL, REHEARSAL, outcomes, said, seen, used

SEEN: Range = seen("thinking-budget-range", "fail")
GOOD = replace(SEEN, context_tokens=262_144, field=Field(200, True, DEFAULT))
RECORDED_CASES = {
    "thinking-budget-range": {
        "pass": lambda: (GOOD, "h200x8"),
        "fail": lambda: (SEEN, "rehearsal"),
        "unknown": lambda: (replace(GOOD, field=Field(404, False, None)), "h200x8"),
    }
}


def with_budget(budget: int, reply: Reply) -> Range:
    return replace(GOOD, budgets=tuple(Tried(budget, reply) if t.budget == budget else t for t in GOOD.budgets))


def thought(tokens: int | None) -> Reply:
    return used(GOOD.budgets[0].reply, completion_tokens_details={"reasoning_tokens": tokens})


def test_the_real_engine_takes_the_range_and_has_no_default() -> None:
    finding = judge(SEEN, REHEARSAL)
    assert (finding.outcome, finding.because.split(":")[0]) == (Outcome.FAIL, "default")
    assert [each for each, outcome in outcomes(finding).items() if outcome is Outcome.PASS] == [
        "1,000 tokens",
        "96,000 tokens",
        "256,000 tokens",
    ]
    assert outcomes(finding)["room for the most"] is Outcome.UNKNOWN
    assert len(finding.notes) == 1 and "taken without a word" in finding.notes[0]


def test_an_engine_with_that_default_passes() -> None:
    assert judge(GOOD, REAL).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("part", "range_", "outcome"),
    [
        ("1,000 tokens", with_budget(1_000, thought(1_000)), Outcome.PASS),
        ("1,000 tokens", with_budget(1_000, thought(1_001)), Outcome.FAIL),
        ("1,000 tokens", with_budget(1_000, thought(None)), Outcome.UNKNOWN),
        ("96,000 tokens", with_budget(96_000, replace(BROKEN, status=400)), Outcome.FAIL),
        ("256,000 tokens", with_budget(256_000, GONE), Outcome.UNKNOWN),
        ("room for the most", replace(GOOD, context_tokens=256_000), Outcome.FAIL),
        ("room for the most", replace(GOOD, context_tokens=256_001), Outcome.PASS),
        ("default", replace(GOOD, field=Field(200, True, None)), Outcome.FAIL),
        ("default", replace(GOOD, field=Field(200, True, 1_000)), Outcome.FAIL),
        ("default", replace(GOOD, field=Field(200, False, None)), Outcome.FAIL),
        ("default", replace(GOOD, field=Field(404, False, None)), Outcome.UNKNOWN),
    ],
)
def test_each_part_decides(part: str, range_: Range, outcome: Outcome) -> None:
    finding = judge(range_, REAL)
    assert outcomes(finding)[part] is finding.outcome is outcome


def test_what_is_thought_without_a_budget_is_a_note() -> None:
    free = used(said(SEEN.free, "stop"), completion_tokens_details={"reasoning_tokens": 96})
    assert judge(replace(SEEN, free=free), REHEARSAL).notes[0] == "Without a budget 96 tokens were thought here."


def test_a_refused_budget_above_the_context_is_a_note() -> None:
    refused: Any = replace(BROKEN, status=400)
    assert any("is refused: boom" in note for note in judge(replace(GOOD, above=refused), REAL).notes)
