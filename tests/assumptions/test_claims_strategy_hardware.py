"""The strategy's machines: sizes, speeds, prices and totals; its own figures, right ones, and what nobody measured."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assumptions import (
    a100x8_30000_tokens_s,
    b200_3x_leap,
    b200x8_99000_tokens_s,
    five_year_totals,
    hardware_prices,
    k25_630_gb,
    mac_2_5_tokens_s,
    mac_q2_fits,
    saves_100k,
)
from assumptions._core import Finding, Outcome, Severity, Stage
from assumptions._judge import judge as look_and_judge
from assumptions._speed_said import Peak
from assumptions._strategy import GUIDE, MAC_ID
from assumptions.five_year_totals import Total, Totals
from assumptions.hardware_prices import Asked, Prices, Quote
from inventories.load import load
from inventories.money import Money, Throughput
from inventories.schema import Inventory
from tasks.site import Site
from tests.assumptions.planned import planned
from tests.recorded import recordings

MODULES: tuple[Any, ...] = (
    a100x8_30000_tokens_s,
    b200_3x_leap,
    b200x8_99000_tokens_s,
    five_year_totals,
    hardware_prices,
    k25_630_gb,
    mac_2_5_tokens_s,
    mac_q2_fits,
    saves_100k,
)
BOUGHT, DAY = load("a100x8"), date(2026, 11, 22)
SITE = planned(BOUGHT)
UNKNOWN_MODEL = {"model_type": "mamba"}
SLOW_CARDS = Peak(fastest=1e15, fastest_format="INT8", bf16=1e14, source="cards in this test")


def seen(module: Any, **change: Any) -> Any:
    return replace(module.observe(SITE, Stage.PLAN), **change)


def judged(module: Any, observation: Any) -> Finding:
    finding: Finding = module.judge(observation, BOUGHT)
    assert len(finding.because) <= 200 and finding.threshold and finding.threshold_source
    return finding


def case(module: Any, **change: Any) -> Callable[[], tuple[Any, str]]:
    return lambda: (seen(module, **change), "a100x8")


def quotes(*prices: float, days_old: int = 30) -> tuple[Quote, ...]:
    day = date.fromordinal(DAY.toordinal() - days_old)
    return tuple(Quote(price, price, day, "a dealer in this test") for price in prices)


def prices(*found: float, withdrawn: date | None = None, days_old: int = 30) -> Prices:
    asked = Asked("8x B200", (340_000, 460_000), quotes(*found, days_old=days_old), withdrawn, "")
    return Prices((asked,), DAY)


def saving(rate: float | None, bill: float = 21_000) -> Any:
    real = seen(saves_100k, api_usd_per_year=bill)
    return replace(real, market=replace(real.market, tokens_per_second={MAC_ID: rate} if rate else {}))


RECORDED_CASES = {
    "k25-630-gb": {
        "pass": case(k25_630_gb, said_files_gb=595.0, said_memory_gb=710.0),
        "fail": case(k25_630_gb),
        "unknown": case(k25_630_gb, said_files_gb=595.0, said_memory_gb=680.0),
    },
    "mac-q2-fits": {
        "pass": case(mac_q2_fits, peak_gb=402.0),
        "fail": case(mac_q2_fits, memory_gib=256.0),
        "unknown": case(mac_q2_fits),
    },
    "mac-2-5-tokens-s": {
        "pass": case(mac_2_5_tokens_s, measured=4.2),
        "fail": case(mac_2_5_tokens_s, measured=1.4),
        "unknown": case(mac_2_5_tokens_s),
    },
    "a100x8-30000-tokens-s": {
        "pass": case(a100x8_30000_tokens_s, published=31_000.0, measured=30_500.0),
        "fail": case(a100x8_30000_tokens_s, measured=900.0),
        "unknown": case(a100x8_30000_tokens_s),
    },
    "b200x8-99000-tokens-s": {
        "pass": case(b200x8_99000_tokens_s, measured=99_500.0),
        "fail": case(b200x8_99000_tokens_s, measured=2_752.0),
        "unknown": case(b200x8_99000_tokens_s),
    },
    "b200-3x-leap": {
        "pass": case(b200_3x_leap, before=900.0, after=2_800.0),
        "fail": case(b200_3x_leap, before=900.0, after=2_600.0),
        "unknown": case(b200_3x_leap),
    },
    "hardware-prices": {
        "pass": lambda: (prices(425_000), "a100x8"),
        "fail": case(hardware_prices),
        "unknown": lambda: (prices(515_000), "a100x8"),
    },
    "saves-100k": {
        "pass": lambda: (saving(1e6), "a100x8"),
        "fail": case(saves_100k),
        "unknown": lambda: (saving(None), "a100x8"),
    },
    "five-year-totals": {
        "pass": case(five_year_totals),
        "fail": lambda: (Totals((Total("Mac Studio", 12_400, 10_000, 500, 5),)), "a100x8"),
        "unknown": lambda: (Totals((Total("Mac Studio", 12_500, 10_000, None, 5),)), "a100x8"),
    },
}
REAL = {  # outcome and words on the strategy's own figures
    "a100x8-30000-tokens-s": (Outcome.UNKNOWN, ("INT8 peak is 35,657", "5,360")),
    "b200-3x-leap": (Outcome.UNKNOWN, ("not measured: 8x A100, 8x B200",)),
    "b200x8-99000-tokens-s": (Outcome.UNKNOWN, ("for other models",)),
    "five-year-totals": (Outcome.PASS, ("$27,375", "$12,500", "$350,000")),
    "hardware-prices": (Outcome.FAIL, ("not sold by its maker",)),
    "k25-630-gb": (Outcome.FAIL, ("595.1 GB",)),
    "mac-2-5-tokens-s": (Outcome.UNKNOWN, ("25 to 71 tokens a second", "nobody measured")),
    "mac-q2-fits": (Outcome.UNKNOWN, ("393 GB", "412 of 550 GB", "not measured")),
    "saves-100k": (Outcome.FAIL, ("$27,375", "18.3 years")),
}


@pytest.mark.parametrize("module", MODULES, ids=[module.ASSUMPTION.id for module in MODULES])
def test_on_the_strategys_own_figures(module: Any, tmp_path: Path) -> None:
    evidence = look_and_judge(Site(BOUGHT, tmp_path), module.ASSUMPTION, Stage.PLAN).evidence
    outcome, words = REAL[evidence.claim]
    assert (evidence.finding.outcome, evidence.severity, evidence.trail) == (outcome, Severity.ADVISORY, ())
    assert [word for word in words if word not in evidence.finding.because] == []
    assert module.ASSUMPTION.guide.startswith(GUIDE)


@pytest.mark.parametrize("module", [m for m in MODULES if m is not k25_630_gb], ids=lambda m: m.ASSUMPTION.id)
def test_nothing_is_bought_in_a_rehearsal(module: Any, tmp_path: Path) -> None:
    site = Site(recordings.rehearsal(32_768), tmp_path)
    assert look_and_judge(site, module.ASSUMPTION, Stage.PLAN).evidence.finding.outcome is Outcome.NOT_APPLICABLE


def test_the_memory_for_k2_5_has_a_band() -> None:
    low, high = k25_630_gb.memory_gb(seen(k25_630_gb))
    assert (round(low), round(high)) == (662, 706)
    for said, outcome in ((low - 11, "FAIL"), (low + 1, "UNKNOWN"), (high - 1, "UNKNOWN"), (high + 1, "PASS")):
        found = judged(k25_630_gb, seen(k25_630_gb, said_files_gb=595.0, said_memory_gb=float(round(said, 1))))
        assert str(found.outcome) == outcome, said
    odd = seen(k25_630_gb, config=UNKNOWN_MODEL, said_files_gb=595.0)
    assert judged(k25_630_gb, odd).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("memory_gib", "outcome"), [(512, "UNKNOWN"), (400, "UNKNOWN"), (366, "FAIL"), (367, "UNKNOWN")]
)
def test_a_mac_that_can_not_hold_it_fails_and_no_other_passes_unmeasured(memory_gib: float, outcome: str) -> None:
    """375 GB and 18.4 GB of KV cache are 366.4 GiB."""
    assert str(judged(mac_q2_fits, seen(mac_q2_fits, memory_gib=float(memory_gib))).outcome) == outcome


@pytest.mark.parametrize(("peak", "outcome"), [(549.7, "PASS"), (549.8, "FAIL")])
def test_a_measured_peak_decides(peak: float, outcome: str) -> None:
    assert str(judged(mac_q2_fits, seen(mac_q2_fits, peak_gb=peak)).outcome) == outcome
    assert judged(mac_q2_fits, seen(mac_q2_fits, config=UNKNOWN_MODEL)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("rate", "outcome"), [(2.0, "PASS"), (1.99, "FAIL"), (21.0, "PASS")])
def test_a_measured_rate_on_the_mac_decides(rate: float, outcome: str) -> None:
    assert str(judged(mac_2_5_tokens_s, seen(mac_2_5_tokens_s, measured=rate)).outcome) == outcome


def test_a_ceiling_below_the_figure_fails_without_a_measurement() -> None:
    assert judged(mac_2_5_tokens_s, seen(mac_2_5_tokens_s, bytes_per_second=20e9)).outcome is Outcome.FAIL
    assert judged(mac_2_5_tokens_s, seen(mac_2_5_tokens_s, config=UNKNOWN_MODEL)).outcome is Outcome.UNKNOWN
    slow = judged(b200x8_99000_tokens_s, seen(b200x8_99000_tokens_s, peak=SLOW_CARDS))
    assert slow.outcome is Outcome.FAIL and "bf16 peak is 1,578" in slow.because


def declared(inventory: str) -> Inventory:
    rates = Throughput(
        input_tokens_per_second=3e4,
        output_tokens_per_second=1e4,
        slo="TTFT p95 below 2 s",
        source="a measurement in this test",
        as_of="2026-11-22",
        basis="measured here",
    )
    base = load(inventory)
    return base.model_copy(update={"money": Money(load={"usd_per_month": 456.25}, capacity=rates)})


def test_a_declared_measurement_reaches_the_verdict_of_its_own_machine(tmp_path: Path) -> None:
    def part(module: Any, inventory: str, name: str) -> str:
        site = Site(declared(inventory), tmp_path / f"{inventory}-{module.ASSUMPTION.id}")
        finding = look_and_judge(site, module.ASSUMPTION, Stage.PLAN).evidence.finding
        return next(str(each.outcome) for each in finding.parts if each.name == name)

    assert part(a100x8_30000_tokens_s, "a100x8", "Kimi K2.5") == "PASS"  # 40,000 of the mix
    assert part(b200x8_99000_tokens_s, "b200x8", "Kimi K2.5") == "FAIL"
    assert part(b200x8_99000_tokens_s, "a100x8", "Kimi K2.5") == "UNKNOWN"
    assert part(mac_2_5_tokens_s, "mac-studio-m3-ultra", "speed") == "PASS"
    assert part(mac_2_5_tokens_s, "a100x8", "speed") == "UNKNOWN"


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ((340_000,), "PASS"),
        ((460_000, 515_000), "PASS"),
        ((515_000,), "UNKNOWN"),
        ((515_000, 290_000), "FAIL"),
        ((), "UNKNOWN"),
    ],
)
def test_a_range_needs_two_prices_against_it(found: tuple[float, ...], outcome: str) -> None:
    assert str(judged(hardware_prices, prices(*found)).outcome) == outcome


def test_an_old_price_says_nothing_and_a_withdrawn_machine_has_none() -> None:
    assert judged(hardware_prices, prices(425_000, days_old=731)).outcome is Outcome.UNKNOWN
    assert judged(hardware_prices, prices(425_000, withdrawn=DAY)).outcome is Outcome.FAIL
    assert judged(hardware_prices, prices(425_000, withdrawn=date(2027, 1, 1))).outcome is Outcome.PASS


@pytest.mark.parametrize(("bill", "outcome"), [(20_000, "PASS"), (19_999, "FAIL")])
def test_100k_need_20000_a_year_for_five_years(bill: float, outcome: str) -> None:
    assert str(judged(saves_100k, saving(1e6, bill)).outcome) == outcome
    assert judged(saves_100k, saving(1.0, bill)).outcome is Outcome.FAIL
