"""What has been paid by the end of each month, for each way, with its ends: the lines of a cash-flow picture."""

from __future__ import annotations

from itertools import accumulate

from assumptions.formulas.case import Case, Way
from assumptions.formulas.cash_flow import api_cash_flow, unguarded_cash_flow
from assumptions.formulas.established import NotEstablished, gap
from assumptions.formulas.shapes import Range
from assumptions.formulas.spread import spread


def api_paid_usd(case: Case) -> tuple[Range, ...]:
    """What the load has cost on the API by the end of each month, from month 0."""
    return tuple(spread(case.only(None), lambda point: _sums([m.paid_usd for m in api_cash_flow(point).months])))


def machine_paid_usd(case: Case, way: Way, *, fit_holds: bool) -> tuple[Range, ...] | NotEstablished:
    """The same with that machine and the API behind it; its sale counts when it is sold."""

    def paid(point: Case) -> list[float]:
        return _sums([month.paid_usd for month in unguarded_cash_flow(point, way).months])

    return gap(case, way, fit_holds) or tuple(spread(case.only(way), paid))


def _sums(payments_usd: list[float]) -> list[float]:
    return list(accumulate(payments_usd))
