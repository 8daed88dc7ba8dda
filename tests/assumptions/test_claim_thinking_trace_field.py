"""thinking-trace-field: under a known name, whole and streamed, and never in the answer."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions.thinking_trace_field import Trace, judge
from tests.assumptions.served_api import NOT_COMPLETIONS, REHEARSAL, outcomes, said, seen, used

SEEN: Trace = seen("thinking-trace-field")
SILENT = replace(
    SEEN,
    whole=used(said(SEEN.whole, reasoning=None), completion_tokens_details={"reasoning_tokens": 0}),
    streamed=replace(SEEN.streamed, fields=(), thinking=""),
)
LEAKED = replace(SEEN, whole=said(SEEN.whole, reasoning=None, content="<think> step1</think> I am"))
RECORDED_CASES = {
    "thinking-trace-field": {
        "pass": lambda: (SEEN, "rehearsal"),
        "fail": lambda: (LEAKED, "rehearsal"),
        "unknown": lambda: (SILENT, "rehearsal"),
    }
}


def test_the_real_engine_keeps_them_apart() -> None:
    finding = judge(SEEN, REHEARSAL)
    assert finding.outcome is Outcome.PASS
    assert finding.because == "the thinking comes as `reasoning`, streamed too, and stays out of the answer"
    assert "reads `reasoning_content` alone sees no thinking" in finding.notes[0]


def test_the_old_name_is_a_name_too() -> None:
    old = said(SEEN.whole, reasoning=None, reasoning_content="step1 step2")
    finding = judge(Trace(old, replace(SEEN.streamed, fields=("reasoning_content",))), REHEARSAL)
    assert finding.outcome is Outcome.PASS and not finding.notes


THOUGHT = SEEN.streamed.thinking
FAULTS = {
    "marks in the answer": ({"whole", "answer"}, LEAKED),
    "counted and hidden": ({"whole"}, replace(SEEN, whole=said(SEEN.whole, reasoning=None))),
    "repeated in the answer": ({"answer"}, replace(SEEN, whole=said(SEEN.whole, content=f"Well:{THOUGHT} so"))),
    "leaks in the stream alone": (
        {"streamed answer"},
        replace(SEEN, streamed=replace(SEEN.streamed, content="</think> I am")),
    ),
    "another name in the stream": (
        {"same name"},
        replace(SEEN, streamed=replace(SEEN.streamed, fields=("reasoning_content",))),
    ),
    "a stream of rubbish": ({"streamed"}, replace(SEEN, streamed=replace(SEEN.streamed, bad="oops"))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_fails_its_part_and_the_claim(fault: str) -> None:
    parts, trace = FAULTS[fault]
    finding = judge(trace, REHEARSAL)
    assert finding.outcome is Outcome.FAIL
    assert {name for name, outcome in outcomes(finding).items() if outcome is Outcome.FAIL} == parts


def test_a_stream_that_broke_off_shows_nothing_of_its_rest() -> None:
    broken = replace(SEEN, streamed=replace(SEEN.streamed, broke="ReadTimeout: The read operation timed out"))
    finding = judge(broken, REHEARSAL)
    assert outcomes(finding)["streamed"] is finding.outcome is Outcome.UNKNOWN


def test_a_model_that_does_not_think_shows_nothing() -> None:
    assert judge(SILENT, REHEARSAL).outcome is Outcome.UNKNOWN


def test_without_an_answer_nothing_can_leak() -> None:
    finding = judge(replace(SEEN, whole=said(SEEN.whole, content=None)), REHEARSAL)
    assert outcomes(finding)["answer"] is finding.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("reply", "outcome"), NOT_COMPLETIONS)
def test_what_is_no_completion(reply: object, outcome: Outcome) -> None:
    assert judge(replace(SEEN, whole=reply), REHEARSAL).outcome is outcome
