"""What has been paid by each month: it ends at the total, keeps its ends in order, and asks the same guard."""

from itertools import pairwise

import pytest

from assumptions.formulas.cumulative import api_paid_usd, machine_paid_usd
from assumptions.formulas.economics import (
    ApiPrices,
    Capacity,
    Case,
    Load,
    NotEstablished,
    Own,
    Range,
    api_cash_flow,
    machine_cash_flow,
)

CASE = Case(
    api=ApiPrices(0.60, 0.10, 3.00, Range(0.0, 0.3, 0.6)),
    load=Load(300e6, 100e6, growth_share_per_year=Range(0, 0, 0.5)),
    discount_rate_per_year=0.08,
    horizon_months=24,
    own=Own(hardware_usd=Range(8_000, 10_000, 10_000), life_years=5, capacity=Capacity(1e6, 1e6, 1e6)),
)


def test_the_last_month_is_the_total_at_the_mid() -> None:
    assert api_paid_usd(CASE)[-1].mid == pytest.approx(api_cash_flow(CASE).total_usd)
    paid, flow = machine_paid_usd(CASE, "own", fit_holds=True), machine_cash_flow(CASE, "own", fit_holds=True)
    assert not isinstance(paid, NotEstablished) and not isinstance(flow, NotEstablished)
    assert paid[-1].mid == pytest.approx(flow.total_usd)
    assert (paid[0].low, paid[0].mid, paid[0].high) == (8_000, 10_000, 10_000)


def test_there_is_one_more_than_the_months_and_a_bill_only_rises() -> None:
    line = api_paid_usd(CASE)
    assert len(line) == 25 and line[0].high == 0
    assert all(before.low <= after.low and before.high <= after.high for before, after in pairwise(line))
    assert line[-1].low < line[-1].mid < line[-1].high


def test_without_a_fit_there_is_no_line() -> None:
    assert isinstance(machine_paid_usd(CASE, "own", fit_holds=False), NotEstablished)
