"""The hardware strategy's nine claims: its own numbers, numbers that would be right, and what nobody measured."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assumptions import (
    advantage_18x,
    api_decision_matrix,
    b200_native_fp16,
    breakeven_4_months,
    breakeven_22_months,
    own_cost_11_cents,
    professional_at_70k,
    roi_54_percent,
    tokens_45m_a_month,
)
from assumptions._core import Evidence, Finding, Outcome, Provenance, Severity, Stage
from assumptions._judge import judge as look_and_judge
from assumptions._registry import claims
from assumptions._strategy import GUIDE, MAC, MAC_ID, NODE, NODE_ID, Market, market
from assumptions._verdict import blocks
from assumptions.api_decision_matrix import Row
from assumptions.formulas.strategy_claims import Purchase
from assumptions.formulas.tokens import mix
from inventories.load import load
from inventories.money import Money, Throughput
from inventories.schema import Inventory
from tasks.site import Site
from tests.recorded import recordings

MODULES: tuple[Any, ...] = (
    advantage_18x,
    api_decision_matrix,
    b200_native_fp16,
    breakeven_22_months,
    breakeven_4_months,
    own_cost_11_cents,
    professional_at_70k,
    roi_54_percent,
    tokens_45m_a_month,
)
IDS = [module.ASSUMPTION.id for module in MODULES]
BOUGHT = load("a100x8")
FAST = {MAC_ID: 1e6, NODE_ID: 1e6}  # tokens a second, far more than any bill below needs
SLOW = {MAC_ID: 1.0, NODE_ID: 1.0}


def planned(module: Any, inventory: Inventory, folder: Path) -> Evidence:
    return look_and_judge(Site(inventory, folder), module.ASSUMPTION, Stage.PLAN).evidence


def seen(module: Any, folder: Path, rates: dict[str, float] | None = None) -> Any:
    """The strategy's own observation, with what was measured put in."""
    real = module.observe(Site(BOUGHT, folder), Stage.PLAN)
    return real if rates is None else replace(real, market=replace(real.market, tokens_per_second=rates))


def judged(module: Any, observation: Any) -> Finding:
    finding: Finding = module.judge(observation, BOUGHT)
    assert len(finding.because) <= 200
    return finding


REAL = {  # outcome, value and words on the strategy's own numbers
    "advantage-18x": (Outcome.FAIL, 10.91, ("57.5% output", "10.9 at this load's 3:1", "16.4 at 1:1")),
    "api-decision-matrix": (Outcome.FAIL, 3.0, ("$208",)),
    "b200-native-fp16": (Outcome.FAIL, 2053.8, ("1.027 T parameters x 2 bytes = 2,054 GB", "1,532 GB")),
    "breakeven-22-months": (Outcome.FAIL, 24.12, ("21.9 months", "24.1 months")),
    "breakeven-4-months": (Outcome.FAIL, 24.12, ("24.1 months", "8x A100 never", "$2,542 and $70,000 a month")),
    "own-cost-11-cents": (Outcome.UNKNOWN, 20165.1, ("20,165 tokens a second", "not measured")),
    "professional-at-70k": (Outcome.FAIL, 83876.0, ("$70,000", "$83,876", "$143,376 to $162,626", "assumed")),
    "roi-54-percent": (Outcome.FAIL, 148.75, ("149 %", "119 %", "errs against its own case")),
    "tokens-45m-a-month": (Outcome.FAIL, 4861.1, ("$54", "$135", "$5,833", "4,861 M", "108 times", "43 if all")),
}


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_on_the_strategys_own_numbers(module: Any, tmp_path: Path) -> None:
    evidence = planned(module, BOUGHT, tmp_path)
    outcome, value, words = REAL[evidence.claim]
    finding = evidence.finding
    assert (finding.outcome, finding.provenance) == (outcome, Provenance.MODELLED)
    assert finding.value == pytest.approx(value, rel=1e-3)
    assert finding.unit and finding.expected and finding.measured and finding.threshold
    assert [word for word in words if word not in finding.because] == []
    assert evidence.trail == () and not blocks(evidence)


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_nothing_is_bought_in_a_rehearsal(module: Any, tmp_path: Path) -> None:
    finding = planned(module, recordings.rehearsal(32_768), tmp_path).finding
    assert (finding.outcome, finding.because) == (Outcome.NOT_APPLICABLE, "nothing is bought in a rehearsal")


def test_they_are_claims_of_the_strategy() -> None:
    """Those about its machines are judged in test_claims_strategy_hardware.py and test_claims_configurations.py."""
    ours = [claim for claim in claims() if claim.guide.startswith(GUIDE)]
    assert set(REAL) <= {claim.id for claim in ours}
    assert all(claim.severity is Severity.ADVISORY and claim.stages == (Stage.PLAN,) for claim in ours)


FREE = Purchase(hardware_usd=10_000, running_usd_per_year=0, years=5)
ROWS = (Row(250, 6_000, MAC_ID), Row(6_000, None, NODE_ID))


def _viable(real: Any) -> Any:
    return replace(real, said_usd_per_year=84_000)


CONSISTENT: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "advantage-18x": (advantage_18x, lambda real: replace(real, said_times=10.9)),
    "api-decision-matrix": (api_decision_matrix, lambda real: replace(real, rows=ROWS)),
    "breakeven-22-months": (breakeven_22_months, lambda real: replace(real, said_months=24)),
    "breakeven-4-months": (breakeven_4_months, lambda real: replace(real, api_usd_per_year=31_000)),
    "own-cost-11-cents": (own_cost_11_cents, lambda real: real),
    "professional-at-70k": (professional_at_70k, _viable),
    "roi-54-percent": (roi_54_percent, lambda real: replace(real, said_percent=149)),
    "tokens-45m-a-month": (tokens_45m_a_month, lambda real: replace(real, said_tokens_per_month=4_900e6)),
}


@pytest.mark.parametrize("name", CONSISTENT)
def test_sums_that_are_right_are_unknown_until_a_throughput_was_measured(name: str, tmp_path: Path) -> None:
    module, changed = CONSISTENT[name]
    finding = judged(module, changed(seen(module, tmp_path)))
    assert finding.outcome is Outcome.UNKNOWN
    assert "was not measured" in finding.because


@pytest.mark.parametrize("name", CONSISTENT)
def test_sums_that_are_right_on_a_machine_that_serves_them_pass(name: str, tmp_path: Path) -> None:
    module, changed = CONSISTENT[name]
    finding = judged(module, changed(seen(module, tmp_path, FAST)))
    assert finding.outcome is Outcome.PASS
    assert {part.outcome for part in finding.parts} == {Outcome.PASS}


@pytest.mark.parametrize("name", CONSISTENT)
def test_sums_that_are_right_on_a_machine_that_is_too_slow_fail(name: str, tmp_path: Path) -> None:
    module, changed = CONSISTENT[name]
    finding = judged(module, changed(seen(module, tmp_path, SLOW)))
    assert finding.outcome is Outcome.FAIL
    assert "was measured at 1" in finding.because


@pytest.mark.parametrize(("said", "outcome"), [(23.7, "PASS"), (24.6, "PASS"), (23.6, "FAIL"), (24.7, "FAIL")])
def test_22_months_has_half_a_month_of_tolerance(said: float, outcome: str, tmp_path: Path) -> None:
    real = replace(seen(breakeven_22_months, tmp_path, FAST), said_months=said)
    assert str(judged(breakeven_22_months, real).outcome) == outcome


def test_a_machine_that_costs_nothing_to_run_breaks_even_after_21_9_months(tmp_path: Path) -> None:
    real = replace(seen(breakeven_22_months, tmp_path, FAST), machine=FREE)
    assert judged(breakeven_22_months, real).outcome is Outcome.PASS


def test_a_machine_that_costs_more_to_run_than_the_bill_never_breaks_even(tmp_path: Path) -> None:
    real = replace(seen(breakeven_22_months, tmp_path, FAST), api_usd_per_year=400)
    finding = judged(breakeven_22_months, real)
    assert (finding.outcome, finding.value, finding.measured) == (Outcome.FAIL, None, "never")


def test_54_percent_also_holds_as_a_return_on_all_that_is_paid(tmp_path: Path) -> None:
    real = replace(seen(roi_54_percent, tmp_path, FAST), said_percent=119)
    assert judged(roi_54_percent, real).outcome is Outcome.PASS


def test_the_saving_on_the_bill_irr_and_npv_stand_in_the_notes(tmp_path: Path) -> None:
    notes = " ".join(judged(roi_54_percent, seen(roi_54_percent, tmp_path)).notes)
    assert "54.3% is the saving" in notes and "41% a year" in notes and "$9,864" in notes and "assumed" in notes


def test_18x_holds_at_a_mix_with_57_5_percent_output(tmp_path: Path) -> None:
    real = seen(advantage_18x, tmp_path, FAST)
    at = replace(real, market=replace(real.market, of=mix(0.425 / 0.575)))
    assert judged(advantage_18x, at).outcome is Outcome.PASS
    assert judged(advantage_18x, replace(at, said_times=19)).outcome is Outcome.FAIL


def test_tokens_that_are_worth_it_in_some_mix_alone_are_unknown(tmp_path: Path) -> None:
    """2,500 M cost $7,500 if all is output and $3,000 at 3:1; the node costs $5,833."""
    real = replace(seen(tokens_45m_a_month, tmp_path, FAST), said_tokens_per_month=2_500e6)
    finding = judged(tokens_45m_a_month, real)
    assert finding.outcome is Outcome.UNKNOWN and finding.parts[0].outcome is Outcome.UNKNOWN


def test_four_months_pass_where_any_machine_makes_them(tmp_path: Path) -> None:
    real = seen(breakeven_4_months, tmp_path, FAST)
    assert judged(breakeven_4_months, replace(real, api_usd_per_year=840_000)).outcome is Outcome.PASS
    alone = replace(real, machines={NODE_ID: NODE}, api_usd_per_year=31_000)
    assert judged(breakeven_4_months, alone).outcome is Outcome.FAIL


def test_70000_a_year_is_right_with_free_capital_alone(tmp_path: Path) -> None:
    free = replace(seen(professional_at_70k, tmp_path, FAST), capital_rate_per_year=0.0)
    assert judged(professional_at_70k, free).outcome is Outcome.PASS
    assert judged(professional_at_70k, replace(free, said_usd_per_year=66_000)).outcome is Outcome.FAIL


def test_the_matrix_says_each_row_that_loses_and_the_gap(tmp_path: Path) -> None:
    finding = judged(api_decision_matrix, seen(api_decision_matrix, tmp_path))
    failed = [part.name for part in finding.parts if part.outcome is Outcome.FAIL]
    assert failed == ["row from $0", "row from $1,500", "row from $5,000", "gap $500 to $1,500"]
    assert "$260,000" in finding.parts[1].because and "$50,000" in finding.parts[2].because
    gapless = replace(seen(api_decision_matrix, tmp_path, FAST), rows=(Row(250, 500, MAC_ID), ROWS[1]))
    assert [part.name for part in judged(api_decision_matrix, gapless).parts if part.outcome is Outcome.FAIL] == [
        "gap $500 to $6,000"
    ]


SMALL = {  # a dense model of 8 B parameters in BF16
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 8192,
    "torch_dtype": "bfloat16",
}


def small(**change: Any) -> b200_native_fp16.Fp16:
    base = b200_native_fp16.Fp16(8.03e9, SMALL, 139.8, 9.0, 8, ())
    return replace(base, **change)


def test_a_published_bf16_model_that_fits_passes() -> None:
    assert judged(b200_native_fp16, small()).outcome is Outcome.PASS


def test_a_published_bf16_model_on_a_card_without_measured_runs_is_unknown() -> None:
    finding = judged(b200_native_fp16, small(config={**SMALL, "model_type": "no-such", "architectures": ["NoSuch"]}))
    assert finding.outcome is Outcome.UNKNOWN and "memory model: unsupported" in finding.because


def test_a_quantised_checkpoint_is_no_native_fp16_even_where_it_would_fit() -> None:
    finding = judged(b200_native_fp16, small(config={**SMALL, "quantization_config": {"quant_method": "fp8"}}))
    assert finding.outcome is Outcome.FAIL
    assert finding.because == "native: the checkpoint is published in fp8: there is no native FP16 to deploy"


def measured(inventory: str, **money: Any) -> Inventory:
    base = load(inventory)
    rates = Throughput(
        input_tokens_per_second=3e4,
        output_tokens_per_second=1e4,
        slo="TTFT p95 below 2 s",
        source="a measurement in this test",
        as_of="2026-11-22",
        basis="measured here",
    )
    block = Money(load={"usd_per_month": 456.25, **money}, capacity=rates)
    return base.model_copy(update={"money": block})


def test_a_declared_measurement_counts_for_the_inventorys_own_machine_alone() -> None:
    """3:1 at 30,000 and 10,000 tokens a second: 40,000 of the mix."""
    rate = market(measured("a100x8")).tokens_per_second
    assert set(rate) == {"a100x8"} and rate["a100x8"] == pytest.approx(40_000)
    assert set(market(measured("mac-studio-m3-ultra")).tokens_per_second) == {MAC_ID}
    assert market(load("a100x8")).tokens_per_second == {}


def test_a_measurement_without_a_class_of_the_load_counts_for_nothing() -> None:
    assert market(measured("a100x8", cached_share=0.5)).tokens_per_second == {}


def test_a_declared_mix_is_no_longer_called_assumed() -> None:
    assumed, declared = market(load("a100x8")), market(measured("a100x8", input_per_output=10.0))
    assert (assumed.mix_is_assumed, declared.mix_is_assumed) == (True, False)
    assert declared.of.input == pytest.approx(10)


def test_a_declared_measurement_reaches_the_verdict(tmp_path: Path) -> None:
    assert planned(own_cost_11_cents, measured("a100x8"), tmp_path).finding.outcome is Outcome.PASS
    assert planned(own_cost_11_cents, measured("h200x8"), tmp_path).finding.outcome is Outcome.UNKNOWN


def test_the_prices_are_the_catalogs_with_their_source() -> None:
    found: Market = market(BOUGHT)
    assert found.usd_per_million == pytest.approx(1.20)
    assert "megalodon" in found.source and "2026-03-26" in found.source
    assert (MAC.total_usd, NODE.total_usd) == (12_500, 350_000)
