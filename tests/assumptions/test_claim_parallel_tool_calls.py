"""parallel-tool-calls: several in one turn with ids of their own, one on request, both results taken."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.parallel_tool_calls import Parallel, judge
from tests.assumptions.served_api import BROKEN, NOT_COMPLETIONS, REAL, REHEARSAL, call, outcomes, said, seen

SEEN: Parallel = seen("parallel-tool-calls", "unknown")
PARIS = call("get_weather", {"city": "Paris", "days": 1})
OSLO = call("get_weather", {"city": "Oslo", "days": 1}, "functions.get_weather:1")
HALF = call("get_weather", '{"city": "Li', "functions.get_weather:2")


def made(several: list[Any], single: list[Any], finish: str = "tool_calls") -> Parallel:
    return replace(
        SEEN,
        kept_open=False,
        several=said(SEEN.several, finish, tool_calls=several),
        single=said(SEEN.single, "tool_calls", tool_calls=single),
    )


GOOD = made([PARIS, OSLO], [PARIS])
TWICE = made([PARIS, copy.deepcopy(PARIS)], [PARIS])
RECORDED_CASES = {
    "parallel-tool-calls": {
        "pass": lambda: (GOOD, "h200x8"),
        "fail": lambda: (made([PARIS, OSLO], [PARIS, OSLO]), "h200x8"),
        "unknown": lambda: (SEEN, "rehearsal"),
    }
}


def test_the_real_engine_makes_several_and_holds_them_back() -> None:
    finding = judge(SEEN, REHEARSAL)
    found = outcomes(finding)
    assert found["several"] is found["single"] is found["two results"] is Outcome.PASS
    assert found["ids"] is finding.outcome is Outcome.UNKNOWN
    assert "kept from closing its list" in finding.notes[0]


def test_two_calls_with_ids_of_their_own_pass() -> None:
    finding = judge(GOOD, REAL)
    assert (finding.outcome, finding.value) == (Outcome.PASS, 2.0)
    assert judge(made([PARIS, OSLO, HALF], [PARIS], "length"), REAL).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("part", "parallel", "outcome"),
    [
        ("several", made([PARIS], [PARIS]), Outcome.UNKNOWN),
        ("several", made([], []), Outcome.UNKNOWN),
        ("several", made([PARIS, HALF], [PARIS]), Outcome.FAIL),
        ("ids", TWICE, Outcome.FAIL),
        ("single", made([PARIS, OSLO], [PARIS, OSLO]), Outcome.FAIL),
        ("single", made([PARIS, OSLO], []), Outcome.UNKNOWN),
        ("two results", replace(GOOD, after=said(GOOD.after, content="")), Outcome.FAIL),
        ("two results", replace(GOOD, after=BROKEN), Outcome.FAIL),
    ],
)
def test_each_part_decides(part: str, parallel: Parallel, outcome: Outcome) -> None:
    finding = judge(parallel, REAL)
    assert outcomes(finding)[part] is finding.outcome is outcome


def test_ids_that_repeat_are_the_hand_made_models_own() -> None:
    assert judge(TWICE, REHEARSAL).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("reply", "outcome"), NOT_COMPLETIONS)
@pytest.mark.parametrize("field", ["several", "single", "after"])
def test_what_is_no_completion(field: str, reply: Any, outcome: Outcome) -> None:
    assert judge(replace(GOOD, **{field: reply}), REAL).outcome is outcome
