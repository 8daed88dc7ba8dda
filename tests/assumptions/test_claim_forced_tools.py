"""forced-tools: required, by name and none, on a question that no tool fits."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.forced_tools import Forced, judge
from tests.assumptions.served_api import GONE, NOT_COMPLETIONS, REAL, REHEARSAL, call, outcomes, said, seen

SEEN: Forced = seen("forced-tools")
WORDS = SEEN.none
TRAIN = call("find_train", {"to": "Oslo"}, "functions.find_train:0")
WEATHER = call("get_weather", {"city": "Oslo", "days": 1})
RECORDED_CASES = {
    "forced-tools": {
        "pass": lambda: (SEEN, "rehearsal"),
        "fail": lambda: (replace(SEEN, required=WORDS), "rehearsal"),
        "unknown": lambda: (replace(SEEN, train=GONE), "rehearsal"),
    }
}


def test_the_real_engine_obeys() -> None:
    assert judge(SEEN, REHEARSAL).outcome is Outcome.PASS


FAULTS: dict[str, tuple[str, Forced]] = {
    "ignored": ("required", replace(SEEN, required=WORDS)),
    "a tool that was not offered": ("required", replace(SEEN, required=said(WORDS, tool_calls=[call("x", {})]))),
    "the other one": ("first by name", replace(SEEN, weather=said(SEEN.weather, tool_calls=[TRAIN]))),
    "both": ("second by name", replace(SEEN, train=said(SEEN.train, tool_calls=[TRAIN, WEATHER]))),
    "words where one is named": ("second by name", replace(SEEN, train=WORDS)),
    "arguments of another tool": (
        "second by name",
        replace(SEEN, train=said(SEEN.train, tool_calls=[call("find_train", {"city": "x"})])),
    ),
    "calls where none is wanted": ("none", replace(SEEN, none=said(WORDS, tool_calls=[WEATHER]))),
    "an unknown tool is taken": ("unknown tool", replace(SEEN, unknown=WORDS)),
    "an unknown tool breaks it": ("unknown tool", replace(SEEN, unknown=replace(SEEN.unknown, status=500))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_fails_its_part_and_the_claim(fault: str) -> None:
    part, forced = FAULTS[fault]
    finding = judge(forced, REAL)
    assert outcomes(finding)[part] is finding.outcome is Outcome.FAIL
    assert sum(outcome is Outcome.FAIL for outcome in outcomes(finding).values()) == 1


def test_a_call_that_max_tokens_cut_shows_nothing() -> None:
    cut = replace(SEEN, train=said(SEEN.train, "length", tool_calls=[call("find_train", '{"to"')]))
    assert judge(cut, REAL).outcome is Outcome.UNKNOWN
    assert judge(replace(SEEN, unknown=GONE), REAL).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("reply", "outcome"), NOT_COMPLETIONS)
@pytest.mark.parametrize("field", ["required", "weather", "train", "none"])
def test_what_is_no_completion(field: str, reply: Any, outcome: Outcome) -> None:
    assert judge(replace(SEEN, **{field: reply}), REAL).outcome is outcome
