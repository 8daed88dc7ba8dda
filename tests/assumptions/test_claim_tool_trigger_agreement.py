"""tool-trigger-agreement: only the vendor's own results let it pass."""

import pytest

from assumptions._core import Outcome
from assumptions.tool_trigger_agreement import FLOOR, Triggered, counts, judge
from inventories.load import load
from tests.assumptions.tool_turns import LEAKED, REFUSED, SILENT, TALKED, many, played
from tests.recorded import recordings

INVENTORY = load("h200x8")
OWN = played(*many(called=31, missed=1, talked=32))
LIKE_THE_VENDOR = played(*many(called=88, missed=12, needless=12, talked=88), source="samples.jsonl")
UNLIKE = played(*many(called=60, missed=40, needless=40, talked=60), source="samples.jsonl")

RECORDED_CASES = {
    "tool-trigger-agreement": {
        "pass": lambda: (Triggered(OWN, LIKE_THE_VENDOR), "h200x8"),
        "fail": lambda: (Triggered(OWN, UNLIKE), "h200x8"),
        "unknown": lambda: (Triggered(OWN, None), "h200x8"),
    },
}


def test_with_the_vendors_results_it_passes() -> None:
    finding = judge(Triggered(OWN, LIKE_THE_VENDOR), INVENTORY)
    assert finding.outcome is Outcome.PASS
    assert (finding.value, finding.samples, finding.limit) == (0.88, 200, FLOOR)
    assert finding.interval and finding.interval[0] >= FLOOR


def test_unlike_the_vendor_it_fails() -> None:
    finding = judge(Triggered(OWN, UNLIKE), INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert finding.because.startswith("vendor's requests: F1")


def test_the_own_requests_alone_never_pass_and_can_fail() -> None:
    assert judge(Triggered(OWN, None), INVENTORY).outcome is Outcome.UNKNOWN
    never = played(*many(missed=32, talked=32))
    assert judge(Triggered(never, None), INVENTORY).outcome is Outcome.FAIL
    always = played(*many(called=32, needless=32))
    assert judge(Triggered(always, None), INVENTORY).outcome is Outcome.UNKNOWN  # F1 is 0.67, from 0.54 to 0.78


@pytest.mark.parametrize("few", [1, 5, 10])
def test_few_answers_leave_it_open(few: int) -> None:
    seen = Triggered(OWN, played(*many(called=few, talked=few), source="samples.jsonl"))
    assert judge(seen, INVENTORY).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("turn", "outcome"), [(LEAKED, Outcome.FAIL), (REFUSED, Outcome.FAIL), (SILENT, Outcome.UNKNOWN)]
)
def test_what_is_no_answer_is_not_counted(turn: object, outcome: Outcome) -> None:
    more = played(*LIKE_THE_VENDOR.turns, turn, source="samples.jsonl")  # type: ignore[arg-type]
    assert judge(Triggered(OWN, more), INVENTORY).outcome is outcome
    assert counts(more).trials == 200 + (turn is LEAKED)


def test_a_rehearsal_shows_the_protocol_alone() -> None:
    rehearsal = recordings.rehearsal()
    assert judge(Triggered(played(TALKED, TALKED), None), rehearsal).outcome is Outcome.UNKNOWN
    assert judge(Triggered(played(TALKED, LEAKED), None), rehearsal).outcome is Outcome.FAIL
