"""words-times-1-3: within a quarter for every kind of text, and only of the model's own tokenizer."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions._texts import TEXTS
from assumptions.words_times_1_3 import Counted, Texts, judge
from tests.assumptions.served_api import REAL, REHEARSAL, outcomes, seen

SEEN: Texts = seen("words-times-1-3", "unknown")
NEAR = Texts(tuple(replace(one, tokens=round(one.words * 1.3)) for one in SEEN.counted))
FAR = replace(NEAR, counted=(*NEAR.counted[:-1], Counted("Chinese", 2, 110)))
RECORDED_CASES = {
    "words-times-1-3": {
        "pass": lambda: (NEAR, "h200x8"),
        "fail": lambda: (FAR, "h200x8"),
        "unknown": lambda: (SEEN, "rehearsal"),
    }
}


def test_another_tokenizer_says_nothing_even_where_it_agrees() -> None:
    assert {one.kind for one in SEEN.counted} == set(TEXTS)
    assert judge(SEEN, REHEARSAL).outcome is judge(NEAR, REHEARSAL).outcome is Outcome.UNKNOWN
    assert "hand-made checkpoint" in judge(SEEN, REHEARSAL).because


def test_every_kind_must_be_near() -> None:
    assert judge(NEAR, REAL).outcome is Outcome.PASS
    finding = judge(FAR, REAL)
    assert (finding.outcome, finding.value) == (Outcome.FAIL, 55.0)
    assert outcomes(finding)["Chinese"] is Outcome.FAIL


@pytest.mark.parametrize(
    ("words", "tokens", "outcome"),
    [
        (168, 163, Outcome.FAIL),  # 218.4 estimated, 163.8 at least
        (168, 164, Outcome.PASS),
        (200, 260, Outcome.PASS),
        (200, 325, Outcome.PASS),
        (200, 326, Outcome.FAIL),
        (200, None, Outcome.UNKNOWN),
    ],
)
def test_the_line(words: int, tokens: int | None, outcome: Outcome) -> None:
    assert judge(Texts((Counted("prose", words, tokens),)), REAL).outcome is outcome


def test_nothing_counted_is_unknown() -> None:
    assert judge(Texts(()), REAL).outcome is Outcome.UNKNOWN
