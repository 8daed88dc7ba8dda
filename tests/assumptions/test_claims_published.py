"""What others published: benchmark scores, training figures, supported systems; each corrected, and not known."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from assumptions import alternatives_os, training_figures, vendor_benchmarks
from assumptions._core import Finding, Outcome, Provenance, Stage
from assumptions.training_figures import Statement, Training
from assumptions.vendor_benchmarks import PUBLISHED
from inventories.load import load
from tests.assumptions.planned import planned

BOUGHT = load("a100x4")
SITE = planned(BOUGHT)
REACHED = {name: (score - 1.5, score + 1.5) for name, score in PUBLISHED.items()}


def seen(module: Any, **change: Any) -> Any:
    return replace(module.observe(SITE, Stage.PLAN), **change)


def judged(module: Any, observation: Any) -> Finding:
    finding: Finding = module.judge(observation, BOUGHT)
    assert len(finding.because) <= 200 and finding.threshold_source
    return finding


def training(official: bool | None, value: float | None = None) -> Training:
    (cost, tokens) = training_figures.observe(SITE, Stage.PLAN).statements
    return Training((replace(cost, official=official, official_value=value), tokens))


RECORDED_CASES = {
    "vendor-benchmarks": {
        "pass": lambda: (seen(vendor_benchmarks, said=PUBLISHED, measured=REACHED), "a100x4"),
        "fail": lambda: (seen(vendor_benchmarks), "a100x4"),
        "unknown": lambda: (seen(vendor_benchmarks, said=PUBLISHED), "a100x4"),
    },
    "training-figures": {
        "pass": lambda: (training(True, 4.6), "a100x4"),
        "fail": lambda: (seen(training_figures), "a100x4"),
        "unknown": lambda: (training(None), "a100x4"),
    },
    "alternatives-os": {
        "pass": lambda: (seen(alternatives_os, listed=("22.04",), engine_image="22.04"), "a100x4"),
        "fail": lambda: (seen(alternatives_os), "a100x4"),
        "unknown": lambda: (seen(alternatives_os, listed=None, engine_image=None), "a100x4"),
    },
}


def test_the_guide_misquotes_two_scores() -> None:
    finding = judged(vendor_benchmarks, seen(vendor_benchmarks))
    assert (finding.outcome, finding.value, finding.provenance) == (Outcome.FAIL, 2.0, Provenance.VENDOR)
    assert finding.measured == "2 scores wrong (GPQA Diamond, SEAL-0), 0 measured"


def test_right_quotes_are_unknown_until_somebody_measured_all_of_them() -> None:
    one = {"HLE": REACHED["HLE"]}
    assert judged(vendor_benchmarks, seen(vendor_benchmarks, said=PUBLISHED, measured=one)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        ((42.9, 46.9), "PASS"),
        ((42.8, 46.9), "UNKNOWN"),
        ((41.0, 44.8), "FAIL"),
        ((0, 100), "UNKNOWN"),
    ],
)
def test_a_measurement_must_reach_the_score_and_be_fine_enough(ends: tuple[float, float], outcome: str) -> None:
    real = seen(vendor_benchmarks, said={"HLE": 44.9}, measured={"HLE": ends})
    assert str(judged(vendor_benchmarks, real).outcome) == outcome


def test_a_score_that_the_vendor_does_not_publish_is_unknown() -> None:
    real = seen(vendor_benchmarks, said={"HLE": 44.9}, published={}, measured={"HLE": (44.0, 46.0)})
    assert judged(vendor_benchmarks, real).outcome is Outcome.UNKNOWN


def test_the_cost_of_training_is_nobodys_official_word_and_the_tokens_are() -> None:
    finding = judged(training_figures, seen(training_figures))
    assert [str(part.outcome) for part in finding.parts] == ["FAIL", "PASS"]
    assert "not official" in finding.because


def test_another_official_figure_fails() -> None:
    assert judged(training_figures, training(True, 5.6)).outcome is Outcome.FAIL
    told = Statement("tokens", 15.5, "T tokens", True, 14.8, "a paper")
    assert judged(training_figures, Training((told,))).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("listed", "image", "outcome"),
    [
        (("22.04", "24.04"), "24.04", "FAIL"),
        (("22.04", "24.04"), "22.04", "UNKNOWN"),
        (("24.04",), "22.04", "FAIL"),
        (("22.04",), None, "UNKNOWN"),
        ((), "22.04", "FAIL"),
    ],
)
def test_better_is_only_what_is_listed_alone(listed: tuple[str, ...], image: str | None, outcome: str) -> None:
    real = seen(alternatives_os, listed=listed, engine_image=image)
    assert str(judged(alternatives_os, real).outcome) == outcome


def test_the_months_of_support_that_are_left_are_told() -> None:
    finding = judged(alternatives_os, seen(alternatives_os, as_of=date(2026, 11, 22)))
    assert "end in about 5 months" in finding.notes[-1]
