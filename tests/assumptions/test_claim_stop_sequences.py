"""stop-sequences: what stood before the sequence, finish stop, whole and streamed."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.stop_sequences import Stopped, judge, middle
from tests.assumptions.served_api import NOT_COMPLETIONS, REAL, REHEARSAL, outcomes, said, seen

SEEN: Stopped = seen("stop-sequences")
assert SEEN.whole is not None and SEEN.streamed is not None
WHOLE, STREAMED = SEEN.whole, SEEN.streamed
FREE = " I am a rehearsal checkpoint and know one sentence."
SHORT = Stopped(said(SEEN.free, content="Yes."), "", None, None, None)
IGNORED = replace(SEEN, whole=said(WHOLE, content=FREE))
RECORDED_CASES = {
    "stop-sequences": {
        "pass": lambda: (SEEN, "rehearsal"),
        "fail": lambda: (IGNORED, "rehearsal"),
        "unknown": lambda: (SHORT, "rehearsal"),
    }
}


def without_reason(**message: Any) -> Stopped:
    whole = said(WHOLE, **message)
    whole.body["choices"][0].pop("stop_reason")
    return replace(SEEN, whole=whole)


def test_the_real_engine_stops_before_it() -> None:
    finding = judge(SEEN, REHEARSAL)
    assert (finding.outcome, SEEN.stop) == (Outcome.PASS, "checkpoint")
    assert finding.because == "the answer ends before 'checkpoint', streamed too"
    assert "occurs in the thinking ends the request there" in finding.notes[0]


@pytest.mark.parametrize(
    ("part", "stopped", "outcome"),
    [
        ("whole", IGNORED, Outcome.FAIL),
        ("whole", replace(SEEN, whole=said(WHOLE, content=" I am a rehearsal checkpoint")), Outcome.FAIL),
        ("whole", replace(SEEN, whole=said(WHOLE, "tool_calls")), Outcome.FAIL),
        ("whole", replace(SEEN, whole=said(WHOLE, "length")), Outcome.UNKNOWN),
        ("whole", without_reason(), Outcome.PASS),
        ("whole", without_reason(content=" I am"), Outcome.FAIL),
        ("whole", without_reason(content="Another text"), Outcome.UNKNOWN),
        ("streamed", replace(SEEN, streamed=replace(STREAMED, content=FREE)), Outcome.FAIL),
        ("streamed", replace(SEEN, streamed=replace(STREAMED, content=" I am")), Outcome.FAIL),
        ("streamed", replace(SEEN, streamed=replace(STREAMED, finishes=())), Outcome.FAIL),
        ("whole", SHORT, Outcome.UNKNOWN),
    ],
)
def test_each_part_decides(part: str, stopped: Stopped, outcome: Outcome) -> None:
    finding = judge(stopped, REAL)
    assert outcomes(finding)[part] is finding.outcome is outcome


@pytest.mark.parametrize(("reply", "outcome"), NOT_COMPLETIONS)
@pytest.mark.parametrize("field", ["free", "whole"])
def test_what_is_no_completion(field: str, reply: Any, outcome: Outcome) -> None:
    assert judge(replace(SEEN, **{field: reply}), REAL).outcome is outcome


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (FREE, "checkpoint"),
        ("Yes, I do.", ""),
        ("", ""),
        ("one two three four five six", "four"),
        ("word word word word word", ""),
        ("a b c d e f", ""),
    ],
)
def test_a_word_from_the_middle(text: str, word: str) -> None:
    assert middle(text) == word
    assert middle(FREE, other_than=FREE) == ""
