"""Checked numbers and discounting: what a series of payments is worth, returns, and when it has paid back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from assumptions.formulas.shapes import Range, shown

DAYS_PER_YEAR = 365.25
MONTHS_PER_YEAR = 12
HOURS_PER_YEAR = DAYS_PER_YEAR * 24
HOURS_PER_MONTH = HOURS_PER_YEAR / MONTHS_PER_YEAR
SECONDS_PER_YEAR = HOURS_PER_YEAR * 3600
SECONDS_PER_MONTH = SECONDS_PER_YEAR / MONTHS_PER_YEAR
MOST_USD = 1e12
MOST_PAYMENTS = 1200
MOST_PAYMENT = 1e90
HIGHEST_RATE = 1e6  # where the search for an internal rate of return ends
ROUNDING = 1e-9  # a debt smaller than this share of all payments is a rounding error

Quantity = float | Range


class BadAssumption(ValueError):
    """An input that can't be true, such as a negative price or a share above one; the text names it."""


def number(name: str, value: object, *, least: float = 0.0, most: float = MOST_USD) -> float:
    """`value` as a float when it is a number in least..most, else BadAssumption."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadAssumption(f"{name} is {shown(value)}; a number is needed")
    if not least <= value <= most:  # also refuses NaN, which compares false
        raise BadAssumption(f"{name} is {shown(value)}; it must lie in {least:g} to {most:g}")
    return float(value)


def whole(name: str, value: object, *, least: int, most: int) -> int:
    """`value` when it is a whole number in least..most, else BadAssumption."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadAssumption(f"{name} is {shown(value)}; a whole number from {least} to {most} is needed")
    return value


def check(holder: object, limits: Mapping[str, tuple[float, float]]) -> None:
    """Every field of `holder` named in `limits`, and each edge of it where it is a Range, lies within its limits."""
    for name, (least, most) in limits.items():
        value = getattr(holder, name)
        edges = (value.low, value.mid, value.high) if isinstance(value, Range) else (value,)
        for edge in edges:
            number(name, edge, least=least, most=most)


def best(value: Quantity) -> float:
    """The single best figure: the number itself, or the mid of a Range."""
    return value.mid if isinstance(value, Range) else float(value)


def lower(value: Quantity) -> float:
    """The number itself, or the low end of a Range."""
    return value.low if isinstance(value, Range) else float(value)


def upper(value: Quantity) -> float:
    """The number itself, or the high end of a Range."""
    return value.high if isinstance(value, Range) else float(value)


def npv_usd(payments_usd: Sequence[float], rate: float) -> float:
    """The worth today of `payments_usd`, the first of them today, at `rate` per period."""
    number("rate", rate, least=-0.99, most=HIGHEST_RATE)
    return _worth(_payments(payments_usd), rate)


def irr(payments_usd: Sequence[float]) -> float | None:
    """The rate per period at which the payments are worth nothing today; None unless their sign changes once."""
    payments = _payments(payments_usd)
    signs = [payment > 0 for payment in payments if payment]
    if sum(a != b for a, b in pairwise(signs)) != 1:
        return None
    low, high = -0.99, HIGHEST_RATE
    rises = _worth(payments, low) < 0
    if rises == (_worth(payments, high) < 0):
        return None
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if (_worth(payments, middle) < 0) == rises else (low, middle)
    return (low + high) / 2


def monthly_rate(rate_per_year: float) -> float:
    """The rate per month that compounds to `rate_per_year` over twelve months."""
    rate = number("rate_per_year", rate_per_year, most=10)
    return float((1 + rate) ** (1 / MONTHS_PER_YEAR) - 1)


def annuity_usd_per_year(present_usd: float, rate_per_year: float, years: int) -> float:
    """The equal payment at the end of each of `years` that is worth `present_usd` today."""
    number("present_usd", present_usd)
    number("rate_per_year", rate_per_year, most=10)
    return present_usd / sum(
        (1 + rate_per_year) ** -year for year in range(1, whole("years", years, least=1, most=100) + 1)
    )


def simple_payback_months(outlay_usd: float, saving_usd_per_month: float) -> float | None:
    """Months of an unchanging saving until the outlay is back, with no horizon; None when nothing is saved."""
    number("outlay_usd", outlay_usd)
    number("saving_usd_per_month", saving_usd_per_month, least=-MOST_USD)
    if outlay_usd == 0:
        return 0.0 if saving_usd_per_month >= 0 else None
    months = outlay_usd / saving_usd_per_month if saving_usd_per_month > 0 else float("inf")
    return None if months == float("inf") else months


def payback_months(payments_usd: Sequence[float]) -> float | None:
    """When the running sum last leaves the red, straight-lined within a month; None when it ends in the red."""
    payments = _payments(payments_usd)
    tolerance = ROUNDING * sum(abs(payment) for payment in payments)
    balance, red_until = 0.0, 0.0
    in_red = False
    for month, payment in enumerate(payments):
        before, balance = balance, balance + payment
        if in_red and balance >= -tolerance:
            red_until = month - 1 + (min(1.0, -before / payment) if payment > 0 else 1.0)
        in_red = balance < -tolerance
    return None if in_red else red_until


def _payments(payments_usd: Sequence[float]) -> list[float]:
    if not 1 <= len(payments_usd) <= MOST_PAYMENTS:
        raise BadAssumption(f"{len(payments_usd)} payments; 1 to {MOST_PAYMENTS} are needed")
    return [number("payment", payment, least=-MOST_PAYMENT, most=MOST_PAYMENT) for payment in payments_usd]


def _worth(payments_usd: Sequence[float], rate: float) -> float:
    worth = 0.0
    for payment in reversed(payments_usd):
        worth = worth / (1 + rate) + payment
    return worth
