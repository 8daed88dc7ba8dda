"""int4-lossless: the distances decide by their far ends, and nothing passes without a reference in 16 bits."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from assumptions._core import Outcome
from assumptions._quality_compared import Compared, Sums
from assumptions._quality_distances import KL, PERPLEXITY, SAME_TOP
from assumptions._quality_reference import About
from assumptions._stored_format import parsed
from assumptions.int4_lossless import Lossless, judge
from inventories.load import load
from rehearsal.quantization import NATIVE_INT4
from tests.recorded import recordings

INVENTORY = load("h200x8")
STORED = parsed("kimi-k2-thinking", {"quantization_config": NATIVE_INT4})
ABOUT = About(
    model="kimi-k2-thinking",
    endpoint="http://10.0.0.7:8000/v1",
    endpoint_model="kimi-k2-bf16",
    engine="version 0.33.0",
    kind="bf16",
    recorded_at=datetime(2026, 11, 23, tzinfo=UTC),
    tokens="ids",
    temperature=0.0,
    passages_sha256="ab" * 32,
    repeats=2,
)


def passage(
    name: str, kl: float = 0.0004, same: int = 99, gap: float = 0.0002, covered: float = 0.98, spread: float = 0.0003
) -> Compared:
    """100 tokens; the figures are those of one token, `same` of the hundred."""
    ours = Sums(tokens=100, kl=100 * kl, same_top=same, covered=100 * covered, logprob_gap=100 * gap)
    return Compared(name, ours, (Sums(100, 100 * spread, 99, 99.0, 0.01),))


def seen(count: int = 32, **figures: float) -> Lossless:
    found = tuple(passage(f"p{n}", **figures) for n in range(count))  # type: ignore[arg-type]
    return Lossless(STORED, ABOUT, "references/kimi-k2-thinking.json", "cd" * 32, "ab" * 32, found)


SAME = seen()
FAR = seen(kl=0.03, same=91, gap=0.028)  # what llama.cpp's table has for q4_K_M of LLaMA 3 8B
NONE = Lossless(STORED, None, "references/kimi-k2-thinking.json")

RECORDED_CASES = {
    "int4-lossless": {
        "pass": lambda: (SAME, "h200x8"),
        "fail": lambda: (FAR, "h200x8"),
        "unknown": lambda: (NONE, "h200x8"),
    },
}


def outcomes(given: Lossless) -> dict[str, Outcome]:
    return {part.name: part.outcome for part in judge(given, INVENTORY).parts}


def test_as_close_as_the_reference_to_itself_passes() -> None:
    finding = judge(SAME, INVENTORY)
    assert finding.outcome is Outcome.PASS
    assert (finding.value, finding.samples, finding.limit) == (pytest.approx(0.0004), 3200, KL)
    assert finding.interval == (pytest.approx(0.0004), pytest.approx(0.0004))


def test_a_four_bit_rounding_that_costs_something_fails_in_all_three_figures() -> None:
    finding = judge(FAR, INVENTORY)
    assert finding.outcome is Outcome.FAIL
    failed = [name for name, outcome in outcomes(FAR).items() if outcome is Outcome.FAIL]
    assert failed == ["divergence", "same likeliest token", "perplexity"]


@pytest.mark.parametrize(
    ("part", "good", "bad"),
    [
        ("divergence", {"kl": KL}, {"kl": KL + 1e-6}),
        ("perplexity", {"gap": math.log(PERPLEXITY) - 1e-9}, {"gap": math.log(PERPLEXITY) + 1e-6}),
        ("same likeliest token", {"same": 98}, {"same": 97}),
    ],
)
def test_each_figure_has_its_own_line(part: str, good: dict[str, float], bad: dict[str, float]) -> None:
    assert 0.97 < SAME_TOP < 0.98
    assert outcomes(seen(**good))[part] is Outcome.PASS
    assert outcomes(seen(**bad))[part] is Outcome.FAIL


def test_the_references_own_spread_widens_the_line() -> None:
    noisy = seen(kl=0.004, spread=0.005)
    assert outcomes(noisy)["divergence"] is Outcome.PASS
    assert judge(noisy, INVENTORY).limit == pytest.approx(0.005)
    once = replace(noisy, passages=tuple(replace(each, repeats=()) for each in noisy.passages))
    assert outcomes(once)["divergence"] is Outcome.FAIL


def test_a_reference_that_is_far_from_itself_shows_nothing() -> None:
    """Else its spread would widen the line until anything passed."""
    for kl in (0.0004, 0.07):
        wild = seen(kl=kl, spread=0.15)
        assert judge(wild, INVENTORY).outcome is Outcome.UNKNOWN
        assert outcomes(wild)["reference's own spread"] is outcomes(wild)["divergence"] is Outcome.UNKNOWN
    assert outcomes(seen(kl=0.007, spread=0.0054))["divergence"] is Outcome.FAIL


def test_passages_that_differ_leave_it_open() -> None:
    """Half of them far, half near: the mean is over the line and its interval is not."""
    mixed = replace(SAME, passages=tuple(passage(f"p{n}", kl=0.0032 if n % 2 else 0.0) for n in range(32)))
    finding = judge(mixed, INVENTORY)
    assert outcomes(mixed)["divergence"] is Outcome.UNKNOWN
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.interval and finding.interval[0] <= KL < finding.interval[1]


UNKNOWNS: dict[str, tuple[str, Lossless]] = {
    "no reference": ("reference", NONE),
    "another model's": ("reference", replace(SAME, reference=replace(ABOUT, model="kimi-k2.5"), passages=())),
    "of other passages": ("reference", replace(SAME, passages_sha256="ef" * 32, passages=())),
    "nobody said which weights": ("reference's weights", replace(SAME, reference=replace(ABOUT, kind="other"))),
    "not stored as INT4": ("served as INT4", replace(SAME, stored=parsed("kimi-k2-thinking", {}))),
    "other tokens": ("same tokens", replace(SAME, passages=(replace(SAME.passages[0], ours=None), *SAME.passages[1:]))),
    "recorded from the deployment itself": ("another engine", seen(kl=0.0, gap=0.0, same=100)),
    "few passages": ("same tokens", seen(count=9)),
    "little of the probability in sight": ("probability in sight", seen(covered=0.89)),
}


@pytest.mark.parametrize("what", UNKNOWNS)
def test_what_can_not_be_compared_is_unknown(what: str) -> None:
    part, given = UNKNOWNS[what]
    finding = judge(given, INVENTORY)
    assert finding.outcome is Outcome.UNKNOWN
    assert [name for name, outcome in outcomes(given).items() if outcome is Outcome.UNKNOWN] == [part]


def test_without_a_reference_the_reason_is_the_command() -> None:
    finding = judge(NONE, INVENTORY)
    assert "beachhead reference record" in finding.because
    assert (finding.value, finding.limit, finding.interval) == (None, None, None)


def test_a_rehearsal_shows_nothing_of_kimi_and_still_fails_where_answers_differ() -> None:
    rehearsal = recordings.rehearsal()
    here = replace(ABOUT, model="tiny-k2")
    assert judge(replace(SAME, reference=here), rehearsal).outcome is Outcome.UNKNOWN
    assert judge(replace(FAR, reference=here), rehearsal).outcome is Outcome.FAIL
