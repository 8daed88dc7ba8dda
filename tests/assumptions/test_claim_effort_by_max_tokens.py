"""effort-by-max-tokens: an answer behind the cut, and more thinking with more effort beyond chance."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions.effort_by_max_tokens import TIMES, Efforts, Run, setting
from assumptions.effort_by_max_tokens import judge as judged
from tests.assumptions.served_api import REAL, REHEARSAL, outcomes, seen

SEEN: Efforts = seen("effort-by-max-tokens", "fail")


def runs(*thought: int | None) -> tuple[Run, ...]:
    return tuple(Run(200, "", each, True, "stop") for each in thought)


SHORT, LONG = runs(400, 460, 380, 500, 440), runs(2_100, 1_900, 2_500, 2_300, 2_000)
GOOD = Efforts(Run(200, "", 2_000, True, "stop"), 1_000, Run(200, "", 900, True, "stop"), SHORT, LONG, SHORT, LONG)
MIXED = replace(GOOD, hot=runs(300, 900, 380, 200, 470))
RECORDED_CASES = {
    "effort-by-max-tokens": {
        "pass": lambda: (GOOD, "h200x8"),
        "fail": lambda: (SEEN, "rehearsal"),
        "unknown": lambda: (MIXED, "h200x8"),
    }
}


def test_the_real_engine_cuts_the_answer_off() -> None:
    finding = judged(SEEN, REHEARSAL)
    assert finding.outcome is Outcome.FAIL
    assert finding.because.startswith("cut: max_tokens 48 where 96 tokens are thought: finish 'length', and no answer")
    assert outcomes(finding)["more effort"] is outcomes(finding)["more temperature"] is Outcome.UNKNOWN


def test_the_guides_mapping() -> None:
    assert [setting(effort).max_tokens for effort in (0, 0.2, 0.4, 0.6, 0.8, 1)] == [
        2_048,
        4_096,
        8_192,
        16_384,
        32_768,
        32_768,
    ]
    assert (setting(0).temperature, setting(1).temperature) == (0.3, 0.9)
    assert (setting(0).top_p, setting(1).top_p) == (0.9, 0.99)


def test_more_thinking_and_an_answer_behind_the_cut_pass() -> None:
    assert judged(GOOD, REAL).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("part", "efforts", "outcome"),
    [
        ("cut", replace(GOOD, cut=Run(200, "", 1_000, False, "length")), Outcome.FAIL),
        ("cut", replace(GOOD, cut=Run(500, "status 500", None, False, None)), Outcome.FAIL),
        ("cut", replace(GOOD, cut=Run(502, "status 502", None, False, None)), Outcome.UNKNOWN),
        ("cut", replace(GOOD, free=replace(GOOD.free, thought=None)), Outcome.UNKNOWN),
        ("more effort", replace(GOOD, most=GOOD.least), Outcome.FAIL),
        ("more effort", replace(GOOD, least=LONG, most=SHORT), Outcome.FAIL),
        ("more effort", replace(GOOD, most=(*LONG[1:], Run(200, "", None, True, "stop"))), Outcome.UNKNOWN),
        ("more effort", replace(GOOD, least=SHORT[1:], most=LONG[1:]), Outcome.UNKNOWN),
        ("more temperature", MIXED, Outcome.UNKNOWN),
    ],
)
def test_each_part_decides(part: str, efforts: Efforts, outcome: Outcome) -> None:
    finding = judged(efforts, REAL)
    assert outcomes(finding)[part] is finding.outcome is outcome
    assert TIMES == 5
