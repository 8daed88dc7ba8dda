"""The month-by-month model: the strategy's own cases through it, its overflow, its guard and its tornado."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from assumptions.formulas.economics import (
    ApiPrices,
    BadAssumption,
    Capacity,
    Case,
    CashFlow,
    Load,
    NotEstablished,
    Own,
    Range,
    RangeOrNever,
    Rent,
    Worth,
    api_cash_flow,
    compare,
    established,
    irr,
    machine_cash_flow,
    npv_usd,
    payback_months,
    simple_payback_months,
    tornado,
    worth,
)
from assumptions.formulas.money import SECONDS_PER_MONTH, best
from assumptions.formulas.spread import spread

PRICES = ApiPrices(0.60, 0.10, 3.00)
MONTHLY = 5_475 / 12 / 1.20 * 1e6  # the strategy's bill as tokens, 3 : 1
LOAD = Load(MONTHLY * 3 / 4, MONTHLY / 4)
PLENTY = Capacity(1e6, 1e6, 1e6)
MAC = Own(hardware_usd=10_000, life_years=5, capacity=PLENTY, other_usd_per_year=500)
NODE = Own(hardware_usd=275_000, life_years=5, capacity=PLENTY, other_usd_per_year=15_000)


def case(**change: Any) -> Case:
    base: dict[str, Any] = {"api": PRICES, "load": LOAD, "discount_rate_per_year": 0.0, "horizon_months": 60}
    return Case(**(base | change))


def found(question: Case, way: Any = "own") -> Worth:
    answer = worth(question, way, fit_holds=True)
    assert isinstance(answer, Worth)
    return answer


def flow(question: Case, way: Any = "own") -> CashFlow:
    answer = machine_cash_flow(question, way, fit_holds=True)
    assert isinstance(answer, CashFlow)
    return answer


def spending(usd_per_month: float) -> Load:
    tokens = usd_per_month / 1.20 * 1e6
    return Load(tokens * 3 / 4, tokens / 4)


def test_the_mac_that_could_serve_it_all_saves_14875_in_24_1_months() -> None:
    answer = found(case(own=MAC))
    assert answer.npv_usd.mid == pytest.approx(14_875)
    assert answer.payback_months.mid == pytest.approx(24.1, abs=0.05)
    assert answer.share_served == Range(1, 1, 1)


def test_monthly_payments_are_worth_more_than_the_same_at_the_years_end() -> None:
    """414.58 a month at 1.08^(1/12) - 1 is worth 20,582, so NPV is 10,582 where year's end gave 9,864."""
    answer = found(case(own=MAC, discount_rate_per_year=0.08))
    rate = 1.08 ** (1 / 12) - 1
    assert answer.npv_usd.mid == pytest.approx(4_975 / 12 * (1 - 1.08**-5) / rate - 10_000)
    assert round(answer.npv_usd.mid) == 10_582
    assert answer.discounted_payback_months.mid and answer.payback_months.mid
    assert answer.discounted_payback_months.mid > answer.payback_months.mid


@pytest.mark.parametrize(("monthly", "gain"), [(1_500, -260_000), (5_000, -50_000)])
def test_the_nodes_thresholds_lose_and_never_pay_back_within_five_years(monthly: float, gain: float) -> None:
    answer = found(case(own=NODE, load=spending(monthly)))
    assert answer.npv_usd.mid == pytest.approx(gain)
    assert answer.payback_months == RangeOrNever(None, None, None)


def test_5000_a_month_pays_back_after_73_months_when_nothing_has_to_be_bought_again() -> None:
    answer = found(case(own=replace(NODE, life_years=10), load=spending(5_000), horizon_months=120))
    assert answer.payback_months.mid == pytest.approx(73.3, abs=0.05)


def test_70000_a_month_is_four_months() -> None:
    assert found(case(own=NODE, load=spending(70_000))).payback_months.mid == pytest.approx(4)


def test_70000_a_year_falling_by_30_percent_totals_194117_month_by_month() -> None:
    prices = replace(PRICES, decline_share_per_year=0.30)
    assert api_cash_flow(case(api=prices, load=spending(70_000 / 12))).total_usd == pytest.approx(194_117)


def test_break_even_of_the_node_is_5833_a_month_of_tokens_when_flat_out_is_twice_that() -> None:
    """350,000 / 60 = 5,833 a month; at $1.20 that is 4,861 M tokens; a machine of 9,722 M a month is half used."""
    half = 350_000 / 60 / 1.20 * 1e6 / SECONDS_PER_MONTH
    capacity = Capacity(2 * half * 3 / 4, None, 2 * half / 4)
    answer = found(case(own=replace(NODE, capacity=capacity)))
    assert answer.break_even_utilisation.mid == pytest.approx(0.5)
    assert answer.break_even_tokens_per_month.mid == pytest.approx(4_861e6, rel=1e-4)
    assert found(
        case(own=replace(NODE, capacity=replace(capacity, utilisation_share=0.49)))
    ).break_even_utilisation == RangeOrNever(None, None, None)


def test_at_the_break_even_the_whole_model_comes_out_at_nothing() -> None:
    own = replace(NODE, capacity=Capacity(4_000, None, 1_500), power_kw_busy=6.5, power_kw_idle=2, usd_per_kwh=0.12)
    question = case(own=own, discount_rate_per_year=0.08, api=replace(PRICES, decline_share_per_year=0.1))
    tokens = found(question).break_even_tokens_per_month.mid
    assert tokens is not None
    again = found(replace(question, load=Load(tokens * 3 / 4, tokens / 4)))
    assert again.npv_usd.mid == pytest.approx(0, abs=1e-3)


def test_a_mac_at_20_and_200_tokens_a_second_serves_42_percent_and_sends_the_rest_to_the_api() -> None:
    """61.5 of 144.6 tokens a second; $2,330 of $5,475 a year is served, which pays back after 65.6 months."""
    slow = Capacity(200, None, 20, measured="apart")
    question = case(own=replace(MAC, capacity=slow))
    answer = found(question)
    assert answer.share_served.mid == pytest.approx(2_330.4 / 5_475, rel=1e-4)
    assert answer.payback_months.mid is None
    year = flow(question).months[1:13]
    assert sum(m.api_only_usd - m.overflow_usd for m in year) == pytest.approx(2_330.4, abs=0.1)
    assert found(
        case(own=replace(MAC, capacity=slow, life_years=10), horizon_months=120)
    ).payback_months.mid == pytest.approx(10_000 / (2_330.4 - 500) * 12, rel=1e-4)


def test_peaks_leave_less_of_the_machine_for_the_mean_than_the_plan() -> None:
    own = replace(MAC, capacity=Capacity(200, None, 50, utilisation_share=0.5))
    at_plan, at_peak = (flow(case(own=own, load=replace(LOAD, peak_to_mean=p))).months[1] for p in (1.5, 4.0))
    assert (at_plan.utilisation, at_peak.utilisation) == (0.5, 0.25)
    assert at_peak.overflow_usd > at_plan.overflow_usd


def test_classes_measured_apart_share_the_machines_time() -> None:
    load = LOAD.in_year(0)
    together, apart = (Capacity(300, None, 100, measured=how).utilisation(load) for how in ("together", "apart"))
    assert together == pytest.approx(load.input / 300 / SECONDS_PER_MONTH)
    assert apart == pytest.approx(together + load.output / 100 / SECONDS_PER_MONTH)


def test_power_support_colocation_and_staff_of_one_month_with_a_spare() -> None:
    """Two for one: 2 x 2 kW idle + 4.5 kW of work at half use, 13 kW of room, support on two machines."""
    own = Own(
        hardware_usd=120_000,
        life_years=5,
        capacity=PLENTY,
        power_kw_busy=6.5,
        power_kw_idle=2.0,
        pue=1.4,
        usd_per_kwh=0.12,
        colocation_usd_per_kw_month=100,
        support_share_per_year=0.10,
        staff_fte=0.25,
        usd_per_fte_year=144_000,
        redundancy_factor=2,
    )
    assert own.usd_per_month(0.5) == pytest.approx(6.25 * 1.4 * 730.5 * 0.12 + 1_300 + 2_000 + 3_000)
    assert own.bought_usd(0, 60) == 240_000


def test_a_machine_that_dies_before_the_horizon_is_bought_again_and_the_last_one_sold() -> None:
    own = replace(MAC, life_years=3, resale_share=0.2, install_usd=100)
    months = flow(case(own=own)).months
    assert {m.month: m.bought_usd for m in months if m.bought_usd} == {0: 10_100, 36: 10_100}
    assert {m.month: m.sold_usd for m in months if m.sold_usd} == {36: 2_000, 60: 2_000}


def test_resale_counts_for_npv_and_not_for_payback() -> None:
    kept, sold = found(case(own=MAC)), found(case(own=replace(MAC, resale_share=0.5)))
    assert sold.npv_usd.mid - kept.npv_usd.mid == pytest.approx(5_000)
    assert sold.payback_months == kept.payback_months


def test_renting_eight_gpus_costs_105192_a_year_and_saves_what_the_api_would_have_asked() -> None:
    rent = Rent(gpus=8, usd_per_gpu_hour=1.50, capacity=PLENTY)
    answer = found(case(rent=rent, load=spending(10_000), horizon_months=12), "rent")
    assert answer.npv_usd.mid == pytest.approx(120_000 - 105_192)
    assert answer.payback_months.mid == 0
    assert answer.usd_per_million_tokens.mid == pytest.approx(105_192 / (120_000 / 1.20))


def test_without_a_fit_or_a_measured_rate_there_is_no_number_to_read() -> None:
    unmeasured = case(own=replace(MAC, capacity=None), rent=Rent(8, 1.5, Capacity(None, None, 50)))
    answer = compare(unmeasured, own_fits=False, rent_fits=True)
    assert isinstance(answer.own, NotEstablished) and isinstance(answer.rent, NotEstablished)
    assert answer.own.what_to_measure == (
        "whether the model fits on the machine",
        "input tokens per second at the SLO",
        "output tokens per second at the SLO",
    )
    assert answer.rent.what_to_measure == ("input tokens per second at the SLO",)
    assert not hasattr(answer.own, "npv_usd")
    assert isinstance(worth(case(own=MAC), "own", fit_holds=False), NotEstablished)
    assert isinstance(tornado(case(own=MAC), "own", fit_holds=False), NotEstablished)
    assert isinstance(machine_cash_flow(case(own=MAC), "own", fit_holds=False), NotEstablished)
    assert answer.api.total_usd.mid == pytest.approx(27_375)
    assert answer.own_standing_usd == Range(12_500, 12_500, 12_500)


@pytest.mark.parametrize(("fit", "measured", "both"), [(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 0)])
def test_established_needs_both(fit: int, measured: int, both: int) -> None:
    assert established(bool(fit), bool(measured)) is bool(both)


def test_a_fit_that_is_not_plainly_true_or_false_is_refused() -> None:
    with pytest.raises(BadAssumption, match="fit_holds"):
        worth(case(own=MAC), "own", fit_holds="tight")  # type: ignore[arg-type]


def test_a_machine_that_nobody_measured_lists_every_class_of_the_load() -> None:
    answer = worth(case(own=replace(MAC, capacity=None), load=Load(0, 5e6)), "own", fit_holds=True)
    assert answer == NotEstablished(("output tokens per second at the SLO",))


def test_a_cached_share_needs_a_measured_rate_for_cached_input() -> None:
    cached = case(own=replace(MAC, capacity=Capacity(1e6, None, 1e6)), load=replace(LOAD, cached_share=0.5))
    answer = worth(cached, "own", fit_holds=True)
    assert answer == NotEstablished(("cached input tokens per second at the SLO",))


def test_a_cached_share_that_only_may_be_above_zero_asks_for_the_rate_too() -> None:
    capacity = Capacity(1e6, None, 1e6)
    load = replace(LOAD, cached_share=Range(0.0, 0.0, 0.5))
    answer = worth(case(own=replace(MAC, capacity=capacity), load=load), "own", fit_holds=True)
    assert answer == NotEstablished(("cached input tokens per second at the SLO",))


def test_ranges_give_ranges_with_every_input_at_its_worse_and_at_its_better_end() -> None:
    own = replace(MAC, hardware_usd=Range(8_000, 10_000, 12_000), other_usd_per_year=Range(250, 500, 1_000))
    answer = found(case(own=own))
    edges = (answer.npv_usd.low, answer.npv_usd.mid, answer.npv_usd.high)
    assert edges == pytest.approx((27_375 - 17_000, 14_875, 27_375 - 9_250))
    assert answer.payback_months.low == pytest.approx(8_000 / 5_225 * 12)
    assert answer.payback_months.high == pytest.approx(12_000 / 4_475 * 12)


def test_a_payback_that_may_never_come_has_no_high_end() -> None:
    answer = found(case(own=replace(MAC, hardware_usd=Range(8_000, 10_000, 30_000))))
    assert answer.payback_months.low is not None and answer.payback_months.high is None


def test_the_tornado_names_every_range_the_widest_first() -> None:
    own = replace(MAC, hardware_usd=Range(9_000, 10_000, 12_000), capacity=replace(PLENTY, utilisation_share=1.0))
    api = replace(PRICES, output_usd_per_million=Range(2, 3, 4), decline_share_per_year=Range(0, 0.2, 0.4))
    swings = tornado(case(own=own, api=api, rent=Rent(8, Range(1, 2, 3), PLENTY)), "own", fit_holds=True)
    assert not isinstance(swings, NotEstablished)
    assert {s.input for s in swings} == {
        "own.hardware_usd",
        "api.output_usd_per_million",
        "api.decline_share_per_year",
    }
    assert [s.swing_usd for s in swings] == sorted((s.swing_usd for s in swings), reverse=True)
    hardware = next(s for s in swings if s.input == "own.hardware_usd")
    assert hardware.npv_at_low_usd - hardware.npv_at_high_usd == pytest.approx(3_000) == hardware.swing_usd


def test_rows_hold_every_month_and_add_up() -> None:
    question = flow(case(own=MAC))
    rows = question.rows()
    assert [row["month"] for row in rows] == list(range(61))
    assert sum(row["paid_usd"] for row in rows) == pytest.approx(12_500) == question.total_usd


def test_payback_counts_from_when_the_sum_stays_out_of_the_red() -> None:
    assert payback_months([-100, 60, 60, -50, 40]) == pytest.approx(3.75)
    assert payback_months([-100, 60, 60, -50]) is None
    assert payback_months([0, 5]) == 0
    assert payback_months([-100, 50, 50]) == pytest.approx(2)
    assert simple_payback_months(0, -1) is None and simple_payback_months(10, 0) is None


def test_irr_only_where_the_sign_changes_once() -> None:
    assert irr([-100, 110]) == pytest.approx(0.10)
    assert irr([-100, 300, -150]) is None and irr([100, 50]) is None
    assert npv_usd([-100, 110], 0.10) == pytest.approx(0)


def test_the_standing_cost_alone_has_both_of_its_corners() -> None:
    own = replace(MAC, hardware_usd=Range(8_000, 10_000, 12_000), other_usd_per_year=Range(250, 500, 1_000))
    standing = compare(case(own=own)).own_standing_usd
    assert standing == Range(8_000 + 1_250, 12_500, 12_000 + 5_000)


def test_an_input_that_alone_changes_never_into_nothing_else_follows_the_first_figure() -> None:
    """The second figure is finite only for `other` below 0.5; alone, the hardware can't show which end helps it."""
    own = replace(MAC, hardware_usd=Range(0, 1, 2), other_usd_per_year=Range(0, 1, 2))

    def measure(point: Case) -> tuple[float, float]:
        assert point.own is not None
        hardware, other = best(point.own.hardware_usd), best(point.own.other_usd_per_year)
        return other - hardware, hardware + other if other < 0.5 else math.inf

    assert spread(case(own=own), measure) == [Range(-2, 0, 2), Range(0, math.inf, math.inf)]
