"""tool-calling: a call that can be run, whole and streamed, never among the words, and its result taken."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.tool_calling import Called, judge
from tests.assumptions.served_api import BROKEN, GONE, NOT_COMPLETIONS, REAL, REHEARSAL, call, outcomes, said, seen

SEEN: Called = seen("tool-calling")
CALL = SEEN.answers[0]
WORDS = said(SEEN.after, "stop", content="It will rain.", tool_calls=None)
RAW = '<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{"city": "P"}'
LEAKED = replace(SEEN, answers=(said(CALL, "stop", content=RAW, tool_calls=None),))
RECORDED_CASES = {
    "tool-calling": {
        "pass": lambda: (SEEN, "rehearsal"),
        "fail": lambda: (LEAKED, "rehearsal"),
        "unknown": lambda: (replace(SEEN, after=GONE), "rehearsal"),
    }
}


def calling(*calls: Any, finish: str = "tool_calls") -> Called:
    return replace(SEEN, answers=(said(CALL, finish, tool_calls=list(calls)),))


def test_the_real_engine_parses_what_the_model_opened() -> None:
    finding = judge(SEEN, REHEARSAL)
    assert finding.outcome is Outcome.PASS
    assert 'get_weather({"city":"","days":0})' in finding.parts[0].because
    assert "not whether a model calls when it should" in finding.notes[0]
    assert judge(replace(SEEN, opened=False), REAL).notes == ()


FAULTS = {
    "raw marks among the words": ("question 1", LEAKED),
    "another tool": ("question 1", calling(call("get_time", {"city": "", "days": 1}))),
    "arguments not JSON": ("question 1", calling(call("get_weather", '{"city": '))),
    "argument missing": ("question 1", calling(call("get_weather", {"city": "Paris"}))),
    "argument of another type": ("question 1", calling(call("get_weather", {"city": "Paris", "days": "2"}))),
    "no id": ("question 1", calling(call("get_weather", {"city": "", "days": 1}, key=""))),
    "no function": ("question 1", calling({"id": "1"})),
    "finish says stop": ("question 1", calling(call("get_weather", {"city": "", "days": 1}), finish="stop")),
    "no call at all": (
        "called",
        replace(SEEN, answers=(WORDS, WORDS, WORDS), streamed=replace(SEEN.streamed, calls=())),
    ),
    "lost in the stream": ("streamed", replace(SEEN, streamed=replace(SEEN.streamed, calls=()))),
    "streamed as words": ("streamed", replace(SEEN, streamed=replace(SEEN.streamed, content=RAW))),
    "streamed in halves": (
        "streamed",
        replace(SEEN, streamed=replace(SEEN.streamed, calls=(call("get_weather", '{"city"'),))),
    ),
    "the result is refused": ("result", replace(SEEN, after=BROKEN)),
    "nothing follows the result": ("result", replace(SEEN, after=said(SEEN.after, content=None))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_fails_its_part_and_the_claim(fault: str) -> None:
    part, called = FAULTS[fault]
    finding = judge(called, REAL)
    assert outcomes(finding)[part] is finding.outcome is Outcome.FAIL


def test_one_call_among_words_is_enough() -> None:
    assert judge(replace(SEEN, answers=(CALL, WORDS, WORDS)), REAL).outcome is Outcome.PASS


def test_a_call_that_max_tokens_cut_shows_nothing() -> None:
    assert judge(calling(call("get_weather", '{"city": '), finish="length"), REAL).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("reply", "outcome"), NOT_COMPLETIONS)
def test_what_is_no_completion(reply: Any, outcome: Outcome) -> None:
    gone = replace(SEEN, answers=(reply,), streamed=replace(SEEN.streamed, calls=()))
    assert judge(gone, REAL).outcome is outcome
    assert judge(replace(SEEN, after=reply), REAL).outcome is outcome
