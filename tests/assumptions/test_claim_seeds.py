"""seeds: one seed one text, another seed another one; a model that is sure of itself shows nothing."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.seeds import Seeded, judge
from tests.assumptions.served_api import NOT_COMPLETIONS, REAL, REHEARSAL, outcomes, said, seen

SEEN: Seeded = seen("seeds")
SURE = replace(SEEN, others=(SEEN.same[0],) * 3)
DRIFTS = replace(SEEN, same=(SEEN.same[0], said(SEEN.same[1], reasoning="another")))
RECORDED_CASES = {
    "seeds": {
        "pass": lambda: (SEEN, "rehearsal"),
        "fail": lambda: (DRIFTS, "rehearsal"),
        "unknown": lambda: (SURE, "rehearsal"),
    }
}


def test_the_real_engine_repeats_itself() -> None:
    finding = judge(SEEN, REHEARSAL)
    assert finding.outcome is Outcome.PASS
    assert "made unsure of its first token" in finding.notes[0] and len(finding.notes) == 2
    assert len(judge(replace(SEEN, levelled=False), REAL).notes) == 1


def test_two_texts_of_one_seed_fail() -> None:
    finding = judge(DRIFTS, REAL)
    assert outcomes(finding) == {"same seed": Outcome.FAIL, "other seeds": Outcome.PASS}
    assert finding.outcome is Outcome.FAIL


def test_a_model_that_always_says_the_same_shows_nothing() -> None:
    finding = judge(SURE, REAL)
    assert outcomes(finding) == {"same seed": Outcome.UNKNOWN, "other seeds": Outcome.UNKNOWN}


def test_one_other_text_is_enough() -> None:
    assert judge(replace(SEEN, others=(*SURE.others[:2], SEEN.others[0])), REAL).outcome is Outcome.PASS


def test_empty_answers_show_nothing() -> None:
    empty = said(SEEN.same[0], reasoning=None, content=None)
    assert judge(replace(SEEN, same=(empty, empty)), REAL).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("reply", "outcome"), NOT_COMPLETIONS)
def test_what_is_no_completion(reply: Any, outcome: Outcome) -> None:
    assert judge(replace(SEEN, same=(SEEN.same[0], reply)), REAL).outcome is outcome
    assert judge(replace(SEEN, others=(reply,)), REAL).outcome is outcome
