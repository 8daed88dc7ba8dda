"""The documents' sets of cards: each by the memory model, with cards that surely hold it, and a model nobody knows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assumptions import (
    a40x8_alternative,
    a100x2_minimal,
    a100x4_recommended,
    a100x8_production,
    h100x4_alternative,
    k25_a100x8_minimum,
    rtx4090x8_alternative,
)
from assumptions._configuration import Configuration
from assumptions._core import Finding, Outcome, Severity, Stage
from assumptions._judge import judge as look_and_judge
from inventories.load import load
from tasks.site import Site
from tests.assumptions.planned import planned
from tests.recorded import recordings

MODULES: tuple[Any, ...] = (
    a100x2_minimal,
    a100x4_recommended,
    a100x8_production,
    a40x8_alternative,
    h100x4_alternative,
    k25_a100x8_minimum,
    rtx4090x8_alternative,
)
IDS = [module.ASSUMPTION.id for module in MODULES]
BOUGHT = load("a100x4")
SITE = planned(BOUGHT)
UNKNOWN_MODEL: Mapping[str, Any] = {"model_type": "mamba"}
GUIDE = [module for module in MODULES if module is not k25_a100x8_minimum]
SHORT = {  # GiB of weights a card, and what they lack of it at utilisation 0.95
    "a100x2-minimal": (277.71, 202.49),
    "a100x4-recommended": (139.87, 64.65),
    "a40x8-alternative": (70.95, 25.35),
    "h100x4-alternative": (139.87, 64.65),
    "rtx4090x8-alternative": (70.95, 48.49),
}


def seen(module: Any, **change: Any) -> Configuration:
    real: Configuration = module.observe(SITE, Stage.PLAN)
    return replace(real, **change)


def judged(module: Any, observation: Configuration) -> Finding:
    finding: Finding = module.judge(observation, BOUGHT)
    assert len(finding.because) <= 200
    return finding


def h200(module: Any) -> Configuration:
    """The same claim of eight H200, which public runs show."""
    return seen(module, card="NVIDIA H200", cards=8, gpu_memory_gib=139.8, compute_capability=9.0, utilization=0.9)


def cases(module: Any) -> dict[str, Callable[[], tuple[Configuration, str]]]:
    return {
        "pass": lambda: (h200(module), "a100x4"),
        "fail": lambda: (seen(module, utilization=0.95), "a100x4"),
        "unknown": lambda: (seen(module, config=UNKNOWN_MODEL), "a100x4"),
    }


RECORDED_CASES = {
    "a100x2-minimal": cases(a100x2_minimal),
    "a100x4-recommended": cases(a100x4_recommended),
    "a100x8-production": cases(a100x8_production),
    "a40x8-alternative": cases(a40x8_alternative),
    "h100x4-alternative": cases(h100x4_alternative),
    "k25-a100x8-minimum": cases(k25_a100x8_minimum),
    "rtx4090x8-alternative": cases(rtx4090x8_alternative),
}


@pytest.mark.parametrize("module", GUIDE, ids=[module.ASSUMPTION.id for module in GUIDE])
def test_none_of_the_guides_holds_it(module: Any, tmp_path: Path) -> None:
    evidence = look_and_judge(Site(BOUGHT, tmp_path), module.ASSUMPTION, Stage.PLAN).evidence
    finding = evidence.finding
    assert (finding.outcome, evidence.severity, evidence.trail) == (Outcome.FAIL, Severity.ADVISORY, ())
    assert "0.95" in finding.threshold and "memory model" in finding.threshold_source
    if evidence.claim in SHORT:
        weights, lacking = SHORT[evidence.claim]
        assert f"weights {weights:.2f} GiB" in finding.because and f"short by {lacking:.2f} GiB" in finding.because
        assert finding.value == pytest.approx(weights, abs=0.005)


def test_eight_a100_hold_the_weights_and_no_context(tmp_path: Path) -> None:
    finding = judged(a100x8_production, seen(a100x8_production))
    assert "room for 0 to 146,560 of 256,000 tokens, KV cache shared by all cards" in finding.because


def test_kimi_k2_5_on_eight_a100_is_within_the_models_band(tmp_path: Path) -> None:
    """With all of a card's memory and the cache shared the low overhead fits and the high one does not."""
    finding = judged(k25_a100x8_minimum, seen(k25_a100x8_minimum))
    assert finding.outcome is Outcome.UNKNOWN
    assert "room for 0 to 523,264 of 262,144 tokens" in finding.because
    assert any("compute capability 8.0" in note for note in finding.notes)


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_cards_that_public_runs_show_pass(module: Any) -> None:
    finding = judged(module, h200(module))
    assert finding.outcome is Outcome.PASS and finding.parts[0].measured == "fits"


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_a_model_that_the_formulas_do_not_know_is_unknown(module: Any) -> None:
    assert judged(module, seen(module, config=UNKNOWN_MODEL)).outcome is Outcome.UNKNOWN
    impossible = judged(module, seen(module, cards=3))  # 64 heads on 3 cards
    assert impossible.outcome is Outcome.UNKNOWN and "unsupported" in impossible.measured


@pytest.mark.parametrize(
    ("utilization", "outcome"), [(0.95, "FAIL"), (0.96, "FAIL"), (0.99, "UNKNOWN"), (1, "UNKNOWN")]
)
def test_the_band_begins_where_the_least_overhead_leaves_room(utilization: float, outcome: str) -> None:
    assert str(judged(a100x8_production, seen(a100x8_production, utilization=utilization)).outcome) == outcome


def test_a_card_that_no_run_shows_never_passes() -> None:
    on_b200 = seen(a100x8_production, card="NVIDIA B200", gpu_memory_gib=178.35, compute_capability=10.0)
    assert judged(a100x8_production, on_b200).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_nothing_is_bought_in_a_rehearsal(module: Any, tmp_path: Path) -> None:
    site = Site(recordings.rehearsal(32_768), tmp_path)
    assert look_and_judge(site, module.ASSUMPTION, Stage.PLAN).evidence.finding.outcome is Outcome.NOT_APPLICABLE
