"""What must hold for every case: ordered ends, the plain directions of money, and no exception but BadAssumption."""

from __future__ import annotations

import contextlib
import math
from dataclasses import asdict, fields, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assumptions.formulas import money, strategy_claims, tokens
from assumptions.formulas.cash_flow import unguarded_cash_flow
from assumptions.formulas.economics import (
    ApiPrices,
    BadAssumption,
    Capacity,
    Case,
    Load,
    NotEstablished,
    Own,
    Range,
    RangeOrNever,
    Rent,
    Worth,
    compare,
    irr,
    npv_usd,
    pinned,
    ranges,
    tornado,
    worth,
)

quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
shares = st.floats(0, 1)
rates = st.floats(0.5, 1e5)


def prices(draw: st.DrawFn, number: Any) -> ApiPrices:
    return ApiPrices(*(draw(number(0, 20)) for _ in range(3)), draw(number(0, 0.9)))


def point(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high)


def spread_or_point(low: float, high: float) -> st.SearchStrategy[float | Range]:
    edges = st.lists(st.floats(low, high), min_size=3, max_size=3).map(lambda three: Range(*sorted(three)))
    return st.floats(low, high) | edges


@st.composite
def cases(draw: st.DrawFn, number: Any = point) -> Case:
    def capacity() -> Capacity:
        three = (draw(number(0.5, 1e5)) for _ in range(3))
        return Capacity(*three, draw(number(0, 1)), draw(st.sampled_from(["together", "apart"])))

    own = Own(
        hardware_usd=draw(number(0, 1e6)),
        life_years=draw(number(0.5, 8)),
        capacity=capacity(),
        install_usd=draw(number(0, 1e5)),
        resale_share=draw(number(0, 1)),
        power_kw_busy=draw(number(5, 20)),
        power_kw_idle=draw(number(0, 5)),
        pue=draw(number(1, 2)),
        usd_per_kwh=draw(number(0, 1)),
        colocation_usd_per_kw_month=draw(number(0, 500)),
        support_share_per_year=draw(number(0, 0.3)),
        staff_fte=draw(number(0, 2)),
        usd_per_fte_year=draw(number(0, 3e5)),
        redundancy_factor=draw(number(1, 3)),
    )
    return Case(
        api=prices(draw, number),
        load=Load(
            draw(number(1, 1e11)), draw(number(1, 1e10)), draw(number(0, 1)), draw(number(-0.5, 2)), draw(number(1, 20))
        ),
        discount_rate_per_year=draw(number(0, 0.5)),
        horizon_months=draw(st.integers(1, 72)),
        own=own,
        rent=Rent(draw(st.integers(1, 16)), draw(number(0, 10)), capacity(), draw(number(0, 1e5))),
    )


def found(case: Case, way: Any = "own") -> Worth:
    answer = worth(case, way, fit_holds=True)
    assert isinstance(answer, Worth)
    return answer


def or_inf(value: float | None) -> float:
    return math.inf if value is None else value


def not_above(left: float, right: float, scale: float = 1.0) -> bool:
    return left <= right or left - right <= 1e-7 * max(1.0, abs(left), abs(right), scale)


@quick
@given(
    cases(), st.sampled_from(["input", "cached_input", "output"]), st.floats(0, 50), st.sampled_from(["own", "rent"])
)
def test_a_dearer_api_never_makes_a_machine_worse(case: Case, which: str, more: float, way: str) -> None:
    name = f"{which}_usd_per_million"
    before, after = found(case, way), found(pinned(case, {f"api.{name}": getattr(case.api, name) + more}), way)
    assert not_above(before.npv_usd.mid, after.npv_usd.mid, 1e6)
    for figure in ("payback_months", "discounted_payback_months", "break_even_utilisation"):
        was, now = (or_inf(getattr(answer, figure).mid) for answer in (before, after))
        assert not_above(now, was)


@quick
@given(cases(), st.floats(1, 1e6))
def test_npv_falls_with_the_price_of_the_hardware_by_no_less_than_what_no_sale_brings_back(
    case: Case, more: float
) -> None:
    assert case.own is not None
    dearer = pinned(case, {"own.hardware_usd": money.best(case.own.hardware_usd) + more})
    before, after = found(case).npv_usd.mid, found(dearer).npv_usd.mid
    lost = more * (1 - money.best(case.own.resale_share)) * money.best(case.own.redundancy_factor)
    assert not_above(after, before - lost, 1e9)


@quick
@given(cases(), st.floats(0.01, 2))
def test_a_spare_that_serves_nothing_never_helps(case: Case, more: float) -> None:
    assert case.own is not None
    spare = pinned(case, {"own.redundancy_factor": money.best(case.own.redundancy_factor) + more})
    assert not_above(found(spare).npv_usd.mid, found(case).npv_usd.mid, 1e9)


@quick
@given(cases(), st.sampled_from(["own", "rent"]))
def test_no_month_serves_more_than_asked_nor_more_than_the_ceiling(case: Case, way: Any) -> None:
    capacity = case.machine(way).capacity
    assert capacity is not None
    ceiling = capacity.ceiling(money.best(case.load.peak_to_mean))
    for month in unguarded_cash_flow(case, way).months:
        assert 0 <= month.tokens_served <= month.tokens_asked * (1 + 1e-12)
        assert 0 <= month.utilisation <= ceiling
        assert 0 <= month.overflow_usd <= month.api_only_usd


@settings(parent=quick, max_examples=15)
@given(cases(spread_or_point))
def test_ends_are_ordered_and_the_mid_is_the_answer_at_the_mids(case: Case) -> None:
    at_mids = pinned(case, {name: edges.mid for name, edges in ranges(case).items()})
    answer, single = compare(case, own_fits=True, rent_fits=True), compare(at_mids, own_fits=True, rent_fits=True)
    assert isinstance(answer.own, Worth) and isinstance(answer.rent, Worth)
    assert isinstance(single.own, Worth)
    for part in (answer.api, answer.own, answer.rent):
        for field in fields(part):
            figure = getattr(part, field.name)
            assert isinstance(figure, Range | RangeOrNever)
            assert or_inf(figure.low) <= or_inf(figure.mid) <= or_inf(figure.high)
    assert answer.own.npv_usd.mid == single.own.npv_usd.mid == single.own.npv_usd.low == single.own.npv_usd.high


@quick
@given(cases(), st.data())
def test_where_every_input_has_one_direction_no_point_of_the_box_lies_outside_the_ends(
    case: Case, data: st.DataObject
) -> None:
    """Prices of things bought, of power and of people each move NPV and payback one way, whatever the others are."""
    names = ("own.hardware_usd", "own.usd_per_kwh", "own.other_usd_per_year", "api.input_usd_per_million")
    boxes = {name: Range(*sorted(data.draw(st.floats(0, 50)) for _ in range(3))) for name in names}
    assert case.own is not None
    own = {name.split(".")[1]: box for name, box in boxes.items() if name.startswith("own")}
    api = {name.split(".")[1]: box for name, box in boxes.items() if name.startswith("api")}
    wide = replace(case, own=replace(case.own, **own), api=replace(case.api, **api))
    inside = {name: data.draw(st.floats(box.low, box.high)) for name, box in boxes.items()}
    answer, point = found(wide), found(pinned(wide, inside))
    assert not_above(answer.npv_usd.low, point.npv_usd.mid, 1e6) and not_above(
        point.npv_usd.mid, answer.npv_usd.high, 1e6
    )
    for figure in ("payback_months", "break_even_utilisation"):
        wanted, one = getattr(answer, figure), or_inf(getattr(point, figure).mid)
        assert not_above(or_inf(wanted.low), one) and not_above(one, or_inf(wanted.high))


@settings(parent=quick, max_examples=15)
@given(cases(spread_or_point))
def test_the_tornado_is_sorted_and_holds_each_range_once(case: Case) -> None:
    swings = tornado(case, "own", fit_holds=True)
    assert not isinstance(swings, NotEstablished)
    assert [s.swing_usd for s in swings] == sorted((s.swing_usd for s in swings), reverse=True)
    assert sorted(s.input for s in swings) == sorted(ranges(case.only("own")))


@quick
@given(st.floats(1, 1e6), st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_at_the_internal_rate_of_return_the_payments_are_worth_nothing(outlay: float, back: list[float]) -> None:
    payments = [-outlay, *back]
    rate = irr(payments)
    if rate is not None:
        scale = sum(abs(p) * max(1.0, (1 + rate) ** -year) for year, p in enumerate(payments))
        assert abs(npv_usd(payments, rate)) <= 1e-6 * scale


JUNK: st.SearchStrategy[Any] = (
    st.floats(allow_nan=True, allow_infinity=True)
    | st.integers()
    | st.sampled_from([10**400, -(10**400), 0, -1, 1e308, 5e-324, True, None, "5", b"", [], {}, object()])
    | st.lists(st.floats(allow_nan=False), min_size=3, max_size=3).map(lambda three: Range(*sorted(three)))
)
EXTREME = st.sampled_from([0, 1e-6, 1 / 12, 0.5, 1, 10, 50, 100, 1e4, 1e6, 1e12, 1e18])  # the limits themselves
GOOD = {
    ApiPrices: asdict(ApiPrices(0.6, 0.1, 3.0)),
    Load: asdict(Load(1e9, 1e8)),
    Capacity: asdict(Capacity(1e3, 1e3, 1e3)),
    Own: {**asdict(Own(1e4, 5, None, power_kw_busy=5.0)), "capacity": Capacity(1e3, 1e3, 1e3)},
    Rent: {**asdict(Rent(8, 1.5, None)), "capacity": Capacity(1e3, 1e3, 1e3)},
}


@settings(parent=quick, max_examples=300)
@given(st.sampled_from(list(GOOD)), st.data())
def test_impossible_inputs_raise_bad_assumption_only_and_possible_ones_are_answered(kind: Any, data: Any) -> None:
    changed = data.draw(st.lists(st.sampled_from(list(GOOD[kind])), min_size=1, max_size=3, unique=True))
    values = data.draw(st.sampled_from([JUNK, EXTREME, EXTREME]))
    parts = {one: one(**values) for one, values in GOOD.items()}
    try:
        parts[kind] = kind(**GOOD[kind] | {name: data.draw(values, label=name) for name in changed})
        if kind is Capacity:
            parts[Own] = replace(parts[Own], capacity=parts[kind])
        horizon = data.draw(st.sampled_from([1, 7, 60, 600, 0, 601, 2.5, None]))
        rate = data.draw(st.sampled_from([0, 0.08, 10, 10, 0.5, -0.1, "8 %"]))
        case = Case(parts[ApiPrices], parts[Load], rate, horizon, parts[Own], parts[Rent])
        compare(case, own_fits=True, rent_fits=True)
        tornado(case, "own", fit_holds=True)
    except BadAssumption:
        pass


FUNCTIONS = [
    (strategy_claims.Purchase, 3),
    (money.annuity_usd_per_year, 3),
    (money.simple_payback_months, 2),
    (strategy_claims.power_usd_per_year, 3),
    (strategy_claims.people_and_support_usd_per_year, 4),
    (strategy_claims.rent_usd_per_year, 2),
    (strategy_claims.falling_bill_usd, 3),
    (strategy_claims.tokens_per_second_for, 2),
    (tokens.mix, 2),
    (tokens.tokens_for_usd, 2),
    (tokens.usd_for_tokens, 2),
    (tokens.per_second_from_month, 1),
    (tokens.per_second_from_year, 1),
    (lambda a: strategy_claims.output_share_at(a, ApiPrices(0.6, 0.1, 3.0)), 1),
    (lambda a, b: strategy_claims.advantage(ApiPrices(0.6, 0.1, 3.0), tokens.mix(a), b), 2),
    (lambda a, b: tokens.shared_time_tokens_per_second(tokens.mix(3), a, b), 2),
    (lambda a, b: strategy_claims.returns(strategy_claims.Purchase(1e4, 500, 5), a, b), 2),
    (lambda a, b, c, d: strategy_claims.returns(strategy_claims.Purchase(a, b, 5), c, d), 4),
    (lambda a: strategy_claims.api_usd_per_month_to_pay_back_in(strategy_claims.Purchase(1e4, 500, 5), a), 1),
    (lambda a: strategy_claims.payback_of_bill_months(strategy_claims.Purchase(1e4, 500, 5), a), 1),
    (lambda a: strategy_claims.gain_usd(strategy_claims.Purchase(1e4, 500, 5), a), 1),
    (lambda a: irr([a, 1.0]), 1),
    (lambda a, b: npv_usd([1.0, b], a), 2),
    (lambda a, b: money.payback_months([a, b]), 2),
    (lambda a: money.monthly_rate(a), 1),
]


@settings(parent=quick, max_examples=400)
@given(st.sampled_from(FUNCTIONS), st.data())
def test_single_formulas_raise_bad_assumption_only(function: Any, data: Any) -> None:
    call, count = function
    with contextlib.suppress(BadAssumption):
        call(*(data.draw(JUNK | EXTREME | st.floats(0, 100)) for _ in range(count)))
