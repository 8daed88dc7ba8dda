"""context-recall: a length passes by the lower end of its rate, and a prompt that was cut short fails."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions._quality_needles import DEPTHS, Needle, found, haystack, needles, question
from assumptions._quality_recall import EACH, SHARES, Asked, Recall
from assumptions.context_recall import FLOOR, GUIDE_TOKENS, judge
from inventories.load import load
from tests.recorded import recordings

INVENTORY = load("h200x8")
HIDDEN = needles(EACH)


def answer(group: tuple[Needle, ...], lost: int = 0) -> str:
    return "\n".join(f"{each.key}: {each.value}" for each in group[: len(group) - lost])


def asked(share: float, depth: float, lost: int = 0) -> Asked:
    group = tuple(each for each in HIDDEN if each.depth == depth)
    sent = int(share * GUIDE_TOKENS) - 2_100
    return Asked(share, depth, sent, group, 200, "", "stop", answer(group, lost), "I look for the cities.", sent)


def recall(lost: dict[float, int] | None = None) -> Recall:
    """`lost` numbers at the first depth of a length."""
    lost = lost or {}
    turns = [asked(share, depth, lost.get(share, 0) if depth == 0 else 0) for share in SHARES for depth in DEPTHS]
    return Recall(GUIDE_TOKENS, tuple(turns))


def with_first(**changes: object) -> Recall:
    whole = recall()
    return replace(whole, asked=(replace(whole.asked[0], **changes), *whole.asked[1:]))  # type: ignore[arg-type]


ALL, MIDDLE_LOST = recall(), recall({1.0: 8, 0.5: 5})
SOME = recall({1.0: 4})

RECORDED_CASES = {
    "context-recall": {
        "pass": lambda: (ALL, "h200x8"),
        "fail": lambda: (replace(ALL, asked=tuple(replace(a, content="none") for a in ALL.asked)), "h200x8"),
        "unknown": lambda: (SOME, "h200x8"),
    },
}


def test_everything_found_passes() -> None:
    finding = judge(ALL, INVENTORY)
    assert finding.outcome is Outcome.PASS
    assert (finding.value, finding.samples, finding.limit) == (1.0, 160, FLOOR)
    assert finding.interval and finding.interval[0] > 0.97


@pytest.mark.parametrize(("lost", "outcome"), [(1, Outcome.PASS), (2, Outcome.UNKNOWN), (8, Outcome.UNKNOWN)])
def test_a_length_is_judged_by_its_own_interval(lost: int, outcome: Outcome) -> None:
    """39 of 40 at the longest length reach the floor by the lower end; the other lengths don't help."""
    assert judge(recall({1.0: lost}), INVENTORY).outcome is outcome


def test_a_length_at_which_half_is_lost_fails() -> None:
    turns = tuple(replace(a, content=answer(a.needles, 4)) if a.share == 1.0 else a for a in ALL.asked)
    finding = judge(replace(ALL, asked=turns), INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert finding.because.startswith("260,044 tokens: numbers found: 20 of 40")


FAULTS: dict[str, tuple[str, Outcome, Recall]] = {
    "cut short": ("nothing cut off", Outcome.FAIL, with_first(prompt_tokens=20_000)),
    "usage missing": ("nothing cut off", Outcome.UNKNOWN, with_first(prompt_tokens=None)),
    "refused": ("accepted", Outcome.FAIL, with_first(status=400, message="too long", prompt_tokens=None, content="")),
    "server error": ("accepted", Outcome.UNKNOWN, with_first(status=502, message="bad gateway", content="")),
    "one character": ("an answer", Outcome.FAIL, with_first(content="!" * 200)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_is_told_by_its_part(fault: str) -> None:
    part, outcome, seen = FAULTS[fault]
    told = {each.name: each.outcome for each in judge(seen, INVENTORY).parts}
    assert told[part] is outcome
    assert judge(seen, INVENTORY).outcome is outcome


def test_an_answer_that_was_cut_off_is_no_miss() -> None:
    half = with_first(finish="length", content=answer(ALL.asked[0].needles, 4))
    assert judge(half, INVENTORY).samples == 156


def test_less_than_the_guides_length_never_passes() -> None:
    assert judge(replace(ALL, declared=131_072), INVENTORY).outcome is Outcome.UNKNOWN


def test_a_rehearsal_shows_the_protocol_alone() -> None:
    rehearsal = recordings.rehearsal()
    lost = replace(ALL, asked=tuple(replace(a, content="I know one sentence.") for a in ALL.asked))
    assert judge(lost, rehearsal).outcome is Outcome.UNKNOWN
    assert judge(with_first(prompt_tokens=20_000), rehearsal).outcome is Outcome.FAIL
    assert judge(ALL, rehearsal).outcome is Outcome.UNKNOWN


def test_the_text_is_the_same_every_time_and_holds_each_needle_at_its_depth() -> None:
    text = haystack(40_000, HIDDEN)
    assert text == haystack(40_000, needles(EACH))
    assert abs(len(text) - 40_000) < 200
    assert len({each.key for each in HIDDEN}) == len({each.value for each in HIDDEN}) == EACH * len(DEPTHS)
    for each in HIDDEN:
        assert text.count(each.sentence) == 1
        assert text.index(each.sentence) / len(text) == pytest.approx(each.depth, abs=0.03)


def test_a_number_counts_on_the_line_of_its_key() -> None:
    group = HIDDEN[:3]
    assert all(each.key in question(group) and each.value not in question(group) for each in group)
    assert found(answer(group), group) == 3
    swapped = f"{group[0].key}: {group[1].value}\n{group[1].key}: {group[0].value}"
    assert found(swapped, group) == 0
    assert found("", group) == 0
