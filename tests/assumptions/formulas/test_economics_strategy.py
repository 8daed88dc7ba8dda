"""Every checked sentence of the hardware strategy, to the digit printed in the review of its arithmetic.

A year has 365.25 days here.  That choice shows in the printed digits: with 365 days the 145 tokens a second would
split into 36 and 109 (not 108), and $0.11 would need 721 (not 720) on the Mac's budget.
"""

from __future__ import annotations

import pytest

from assumptions.formulas import strategy_claims as claims
from assumptions.formulas.economics import ApiPrices, BadAssumption, Tokens, blended_usd_per_million, mix
from assumptions.formulas.money import SECONDS_PER_YEAR
from assumptions.formulas.strategy_claims import Purchase
from assumptions.formulas.tokens import per_second_from_month, per_second_from_year, tokens_for_usd, usd_for_tokens

MAC = Purchase(hardware_usd=10_000, running_usd_per_year=500, years=5)
MAC_3_YEARS = Purchase(hardware_usd=10_000, running_usd_per_year=500, years=3)
NODE = Purchase(hardware_usd=275_000, running_usd_per_year=15_000, years=5)
PRICES = ApiPrices(0.60, 0.10, 3.00)
THREE_TO_ONE = mix(3)
API = 15 * 365  # $15 a day: $5,475 a year


def to(step: float, value: float | None) -> float:
    assert value is not None
    return round(value / step) * step


def test_22_months_is_10000_over_5475_and_forgets_the_500() -> None:
    """10,000 / 5,475 x 12 = 21.9 months; 10,000 / (5,475 - 500) x 12 = 24.1 months."""
    found = claims.returns(MAC, API, 0.08)
    assert found.payback_months_without_running == pytest.approx(21.9, abs=0.05)
    assert found.payback_months == pytest.approx(24.1, abs=0.05)


def test_54_percent_is_14875_over_the_27375_of_the_api() -> None:
    """27,375 - 12,500 = 14,875; / 27,375 = 54 %, / 10,000 = 149 %, / 12,500 = 119 %."""
    found = claims.returns(MAC, API, 0.08)
    assert found.saved_usd == 14_875
    assert round(found.saved_share_of_api * 100) == 54
    assert round(found.saved_share_of_hardware * 100) == 149
    assert round(found.saved_share_of_total * 100) == 119


def test_irr_41_percent_and_npv_9864_on_five_year_end_savings_of_4975() -> None:
    """-10,000 + 4,975 / 1.08 + ... + 4,975 / 1.08^5 = 9,864; the rate that makes it nothing is 41 %."""
    found = claims.returns(MAC, API, 0.08)
    assert found.irr_per_year is not None and round(found.irr_per_year * 100) == 41
    assert round(found.npv_usd) == 9_864


def test_1_20_a_million_at_3_to_1() -> None:
    """(3 x 0.60 + 1 x 3.00) / 4 = 1.20."""
    assert blended_usd_per_million(PRICES, THREE_TO_ONE) == pytest.approx(1.20)


def test_5475_a_year_at_1_20_is_4_56_billion_tokens_and_145_a_second() -> None:
    """5,475 / 1.20 = 4,562.5 M; / 31,557,600 s = 145: a quarter of it, 36, is output and 108 is input."""
    tokens = tokens_for_usd(API, 1.20)
    rate = per_second_from_year(tokens)
    assert round(tokens / 1e9, 2) == 4.56
    assert round(rate) == 145
    assert (round(rate / 4), round(rate * 3 / 4)) == (36, 108)


@pytest.mark.parametrize(("busy", "printed", "step"), [(1.0, 2_330, 10), (0.2, 466, 1)])
def test_a_mac_tops_out_at_2330_a_year_and_at_466_when_a_fifth_busy(busy: float, printed: float, step: float) -> None:
    """4 tokens take 3/200 + 1/20 = 0.065 s: 61.5 a second, 1,942 M a year, at $1.20 worth $2,330."""
    value = claims.api_value_usd_per_year(
        PRICES, THREE_TO_ONE, prefill_tokens_per_second=200, decode_tokens_per_second=20, busy=busy
    )
    assert to(step, value) == printed


def test_a_mac_busy_all_year_pays_back_in_5_5_years_and_a_fifth_busy_never() -> None:
    """10,000 / (2,330 - 500) = 5.5 years; 466 is less than the 500 it costs to run."""
    value = claims.api_value_usd_per_year(
        PRICES, THREE_TO_ONE, prefill_tokens_per_second=200, decode_tokens_per_second=20, busy=1.0
    )
    months = claims.payback_of_bill_months(MAC, value / 12)
    assert months is not None and round(months / 12, 1) == 5.5
    assert claims.payback_of_bill_months(MAC, value * 0.2 / 12) is None


def test_350000_and_70000_a_year_are_right_with_free_capital_and_83876_at_8_percent() -> None:
    """275,000 + 5 x 15,000 = 350,000 = 5 x 70,000; 275,000 / 3.99271 + 15,000 = 83,876, printed as 83,900."""
    assert NODE.total_usd == 350_000
    assert claims.usd_per_year(NODE, 0.0) == pytest.approx(70_000)
    assert round(claims.usd_per_year(NODE, 0.08)) == 83_876
    assert to(100, claims.usd_per_year(NODE, 0.08)) == 83_900


def test_power_alone_is_9600_a_year() -> None:
    """6.5 kW x 1.4 x 8,766 h x $0.12 = 9,572, printed as 9,600."""
    assert to(100, claims.power_usd_per_year(6.5, 1.4, 0.12)) == 9_600


def test_with_people_and_support_the_node_costs_145000_to_165000_a_year() -> None:
    """8 % or 15 % of 275,000 and a quarter of a $150,000 post add 59,500 or 78,750 to 83,876."""
    added = [claims.people_and_support_usd_per_year(275_000, share, 0.25, 150_000) for share in (0.08, 0.15)]
    assert [to(10_000, usd) for usd in added] == [60_000, 80_000]
    assert [to(5_000, claims.usd_per_year(NODE, 0.08) + usd) for usd in added] == [145_000, 165_000]
    assert [to(5_000, claims.usd_per_year(NODE, 0.08) + usd) for usd in (60_000, 80_000)] == [145_000, 165_000]


def test_70000_a_year_falling_by_30_percent_totals_194000() -> None:
    """70,000 x (1 + 0.7 + 0.49 + 0.343 + 0.2401) = 194,117."""
    assert round(claims.falling_bill_usd(70_000, 0.30, 5)) == 194_117
    assert to(1_000, claims.falling_bill_usd(70_000, 0.30, 5)) == 194_000


def test_renting_eight_gpus_at_1_50_is_105000_a_year() -> None:
    """8 x 1.50 x 8,766 h = 105,192."""
    assert to(1_000, claims.rent_usd_per_year(8, 1.50)) == 105_000


def test_18_times_0_11_is_a_mix_with_57_5_percent_output() -> None:
    """(1.98 - 0.60) / (3.00 - 0.60) = 0.575."""
    share = claims.output_share_at(18 * 0.11, PRICES)
    assert share is not None and round(share * 100, 1) == 57.5


@pytest.mark.parametrize(
    ("of", "printed"),
    [
        (mix(1), 16.4),  # 1.80 / 0.11
        (mix(3), 10.9),  # 1.20 / 0.11
        (mix(10), 7.4),  # 9.00 / 11 / 0.11
        (mix(10, 0.75), 4.3),  # (2.5 x 0.60 + 7.5 x 0.10 + 3.00) / 11 / 0.11
        (mix(30, 0.90), 2.2),  # (3 x 0.60 + 27 x 0.10 + 3.00) / 31 / 0.11
    ],
)
def test_the_advantage_over_0_11_hangs_on_the_mix(of: Tokens, printed: float) -> None:
    assert round(claims.advantage(PRICES, of, 0.11), 1) == printed


def test_0_11_needs_20200_tokens_a_second_on_70000_and_720_on_2500() -> None:
    """70,000 / 0.11 = 636,364 M a year = 20,165 a second; 2,500 / 0.11 = 22,727 M = 720 a second."""
    assert to(100, claims.tokens_per_second_for(70_000, 0.11)) == 20_200
    assert round(claims.tokens_per_second_for(NODE.total_usd / 5, 0.11)) == 20_165
    assert round(claims.tokens_per_second_for(MAC.total_usd / 5, 0.11)) == 720


def test_45_million_a_month_is_54_or_135_dollars_and_17_a_second() -> None:
    """45 x 1.20 = 54; 45 x 3.00 = 135; 45 M / 2,629,800 s = 17."""
    assert usd_for_tokens(45e6, 1.20) == pytest.approx(54)
    assert usd_for_tokens(45e6, 3.00) == pytest.approx(135)
    assert round(per_second_from_month(45e6)) == 17


def test_5833_a_month_needs_4861_million_tokens_or_1_9_billion_of_output() -> None:
    """5,833 / 1.20 = 4,861 M = 108 x 45 M; 5,833 / 3.00 = 1,944 M = 43 x 45 M."""
    monthly = int(NODE.total_usd / 60)
    mixed, output = tokens_for_usd(monthly, 1.20), tokens_for_usd(monthly, 3.00)
    assert monthly == 5_833
    assert round(mixed / 1e6) == 4_861 and round(mixed / 1e9, 1) == 4.9
    assert round(output / 1e9, 1) == 1.9
    assert (round(output / 45e6), round(mixed / 45e6)) == (43, 108)


def test_four_months_need_70000_a_month_for_the_node_and_2540_for_the_mac() -> None:
    """275,000 / 4 + 15,000 / 12 = 70,000; 10,000 / 4 + 500 / 12 = 2,542."""
    assert claims.api_usd_per_month_to_pay_back_in(NODE, 4) == 70_000
    assert to(10, claims.api_usd_per_month_to_pay_back_in(MAC, 4)) == 2_540


def test_below_208_a_month_over_five_years_or_319_over_three_the_mac_loses() -> None:
    """12,500 / 60 = 208; 11,500 / 36 = 319."""
    assert round(claims.least_api_usd_per_month(MAC)) == 208
    assert round(claims.least_api_usd_per_month(MAC_3_YEARS)) == 319


@pytest.mark.parametrize(("monthly", "gain", "months"), [(1_500, -260_000, 1_100), (5_000, -50_000, 73)])
def test_1500_and_5000_a_month_lose_260000_and_50000(monthly: float, gain: float, months: int) -> None:
    """90,000 and 300,000 against 350,000; 275,000 / (1,500 - 1,250) = 1,100 and 275,000 / 3,750 = 73 months."""
    assert claims.gain_usd(NODE, monthly) == gain
    payback = claims.payback_of_bill_months(NODE, monthly)
    assert payback is not None and round(payback) == months


def test_the_year_is_365_25_days() -> None:
    assert SECONDS_PER_YEAR == 31_557_600


def test_a_price_that_no_mix_gives_is_none_and_one_price_for_all_is_refused() -> None:
    assert claims.output_share_at(18, PRICES) is None
    with pytest.raises(BadAssumption, match="every mix"):
        claims.output_share_at(1, ApiPrices(1, 1, 1))
