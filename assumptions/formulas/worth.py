"""What a machine is worth against the API: NPV, payback, break-even and the price of a token, each with its ends."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions.formulas.case import Case, Way
from assumptions.formulas.cash_flow import CashFlow, api_cash_flow, standing_usd, unguarded_cash_flow, year_of
from assumptions.formulas.established import NotEstablished, gap
from assumptions.formulas.money import best, payback_months
from assumptions.formulas.shapes import Range
from assumptions.formulas.spread import NEVER, RangeOrNever, spread
from assumptions.formulas.tokens import MILLION, Tokens


@dataclass(frozen=True, slots=True)
class ApiBill:
    """What the whole load costs on the API over the horizon; a million tokens as a levelised price."""

    total_usd: Range
    present_usd: Range
    usd_per_million_tokens: Range


@dataclass(frozen=True, slots=True)
class Worth:
    """One machine, with the API behind it, against the API alone.

    Payback leaves every resale out and counts from when the running sum stays out of the red.  The break-even is
    the unchanging utilisation, and the tokens a month of the first year's mix, at which NPV is nothing; never when
    it lies above what the load's peak or the plan allows.  `usd_per_million_tokens` is the present cost of the
    machine over the present number of tokens it serves.  `share_served` below one means that the rest overflows.
    """

    npv_usd: Range
    payback_months: RangeOrNever
    discounted_payback_months: RangeOrNever
    break_even_utilisation: RangeOrNever
    break_even_tokens_per_month: RangeOrNever
    usd_per_million_tokens: RangeOrNever
    share_served: Range


@dataclass(frozen=True, slots=True)
class Comparison:
    """The three ways; None for one the case doesn't hold.

    `own_standing_usd` and `rent_standing_usd` are what the machine costs while it serves nothing, worth at the
    start: all that can be said before its fit and its throughput are known.
    """

    api: ApiBill
    own: Worth | NotEstablished | None
    rent: Worth | NotEstablished | None
    own_standing_usd: Range | None
    rent_standing_usd: Range | None


def compare(case: Case, *, own_fits: bool = False, rent_fits: bool = False) -> Comparison:
    """All three ways; say that the model fits only where the fit check has passed."""
    owns, rents = case.own is not None, case.rent is not None
    total, present, levelised = spread(case.only(None), _bill)
    return Comparison(
        api=ApiBill(total, present, levelised),
        own=worth(case, "own", fit_holds=own_fits) if owns else None,
        rent=worth(case, "rent", fit_holds=rent_fits) if rents else None,
        own_standing_usd=_standing(case, "own") if owns else None,
        rent_standing_usd=_standing(case, "rent") if rents else None,
    )


def worth(case: Case, way: Way, *, fit_holds: bool) -> Worth | NotEstablished:
    """What that machine is worth, unless its fit or its throughput is unknown."""
    if unknown := gap(case, way, fit_holds):
        return unknown
    npv, simple, discounted, utilisation, tokens, levelised, share = spread(
        case.only(way), lambda point: _figures(point, way)
    )
    return Worth(
        npv_usd=npv,
        payback_months=RangeOrNever.of(simple),
        discounted_payback_months=RangeOrNever.of(discounted),
        break_even_utilisation=RangeOrNever.of(utilisation),
        break_even_tokens_per_month=RangeOrNever.of(tokens),
        usd_per_million_tokens=RangeOrNever.of(levelised),
        share_served=share,
    )


def npv_against_api_usd(case: Case, way: Way) -> float:
    """The present API bill less the present cost of that way, at the mid of every Range; ask `gap` first."""
    flow = unguarded_cash_flow(case, way)
    return flow.worth(flow.savings_usd(with_sales=True))


def _figures(case: Case, way: Way) -> tuple[float, ...]:
    flow = unguarded_cash_flow(case, way)
    served = flow.worth([m.tokens_served for m in flow.months])
    cost = flow.worth([m.machine_usd + m.bought_usd - m.sold_usd for m in flow.months])
    utilisation, tokens = _break_even(case, way, flow)
    return (
        flow.worth(flow.savings_usd(with_sales=True)),
        _or_never(payback_months(flow.savings_usd(with_sales=False))),
        _or_never(payback_months(flow.savings_usd(with_sales=False, discounted=True))),
        utilisation,
        tokens,
        cost / served * MILLION if served else NEVER,
        sum(m.tokens_served for m in flow.months) / sum(m.tokens_asked for m in flow.months),
    )


def _break_even(case: Case, way: Way, flow: CashFlow) -> tuple[float, float]:
    """Straight-line in the utilisation: nothing served costs `standing`, a full machine earns `full` on top."""
    machine, capacity, first_year = case.machine(way), case.machine(way).capacity, case.load.in_year(0)
    if capacity is None:
        return NEVER, NEVER
    flat_out: Tokens = first_year.times(1 / capacity.utilisation(first_year))
    working = machine.usd_per_month(1.0) - machine.usd_per_month(0.0)
    earned = [case.api.usd(flat_out, year_of(m.month)) - working if m.month else 0.0 for m in flow.months]
    full, standing = flow.worth(earned), standing_usd(case, way)
    if standing <= 0:
        return 0.0, 0.0
    needed = standing / full if full > 0 else NEVER
    reachable = needed <= capacity.ceiling(best(case.load.peak_to_mean))
    return (needed, needed * flat_out.total) if reachable else (NEVER, NEVER)


def _bill(case: Case) -> tuple[float, ...]:
    flow = api_cash_flow(case)
    return (
        flow.total_usd,
        flow.present_usd,
        flow.present_usd / flow.worth([m.tokens_asked for m in flow.months]) * MILLION,
    )


def _standing(case: Case, way: Way) -> Range:
    (found,) = spread(case.only(way), lambda point: (standing_usd(point, way),))
    return found


def _or_never(months: float | None) -> float:
    return NEVER if months is None else months
