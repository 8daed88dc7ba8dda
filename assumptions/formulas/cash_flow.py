"""What leaves the account each month when a load goes to the API, or to a machine with the API behind it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from assumptions.formulas.case import Case, Way
from assumptions.formulas.established import NotEstablished, gap
from assumptions.formulas.money import MONTHS_PER_YEAR, best, monthly_rate, npv_usd


@dataclass(frozen=True, slots=True)
class Month:
    """One month, paid at its end; month 0 is the start, when machines are bought and nothing runs.

    `overflow_usd` goes to the API for what the machine can't serve; `api_only_usd` is the bill without a machine.
    """

    month: int
    tokens_asked: float
    tokens_served: float
    utilisation: float
    api_only_usd: float
    overflow_usd: float
    machine_usd: float
    bought_usd: float
    sold_usd: float

    @property
    def paid_usd(self) -> float:
        """Everything paid, less what a sale brought."""
        return self.overflow_usd + self.machine_usd + self.bought_usd - self.sold_usd


@dataclass(frozen=True, slots=True)
class CashFlow:
    """Every month of one way, at one value for each input."""

    way: Literal["api", "own", "rent"]
    rate_per_month: float
    months: tuple[Month, ...]

    @property
    def total_usd(self) -> float:
        """All payments, undiscounted."""
        return sum(month.paid_usd for month in self.months)

    @property
    def present_usd(self) -> float:
        """What all payments are worth at the start."""
        return self.worth([month.paid_usd for month in self.months])

    def worth(self, amounts: list[float]) -> float:
        """What one amount a month, from month 0, is worth at the start."""
        return npv_usd(amounts, self.rate_per_month)

    def savings_usd(self, *, with_sales: bool, discounted: bool = False) -> list[float]:
        """What is saved against the API each month; with the sales it is for NPV, without them for payback."""
        saved = [m.api_only_usd - m.paid_usd - (0.0 if with_sales else m.sold_usd) for m in self.months]
        rate = self.rate_per_month if discounted else 0.0
        return [usd / (1 + rate) ** month for month, usd in enumerate(saved)]

    def rows(self) -> list[dict[str, Any]]:
        """One row a month, for a table."""
        return [{"way": self.way, **asdict(month), "paid_usd": month.paid_usd} for month in self.months]


def api_cash_flow(case: Case) -> CashFlow:
    """The months without any machine, at the mid of every Range."""
    months = [_month(case, None, number) for number in range(case.horizon_months + 1)]
    return CashFlow("api", monthly_rate(best(case.discount_rate_per_year)), tuple(months))


def machine_cash_flow(case: Case, way: Way, *, fit_holds: bool) -> CashFlow | NotEstablished:
    """The months with that machine, at the mid of every Range, unless its fit or its throughput is unknown."""
    return gap(case, way, fit_holds) or unguarded_cash_flow(case, way)


def unguarded_cash_flow(case: Case, way: Way) -> CashFlow:
    """The arithmetic behind `machine_cash_flow`, for callers that have asked `gap` themselves."""
    months = [_month(case, way, number) for number in range(case.horizon_months + 1)]
    return CashFlow(way, monthly_rate(best(case.discount_rate_per_year)), tuple(months))


def standing_usd(case: Case, way: Way) -> float:
    """What the machine costs over the horizon while it serves nothing, worth at the start."""
    machine, horizon = case.machine(way), case.horizon_months
    paid = [
        machine.bought_usd(m, horizon) - machine.sold_usd(m, horizon) + (machine.usd_per_month(0.0) if m else 0.0)
        for m in range(horizon + 1)
    ]
    return npv_usd(paid, monthly_rate(best(case.discount_rate_per_year)))


def year_of(month: int) -> int:
    """The year, counted from zero, that months 1 to 12 and each dozen after them lie in."""
    return (month - 1) // MONTHS_PER_YEAR


def _month(case: Case, way: Way | None, month: int) -> Month:
    asked = case.load.in_year(year_of(month)) if month else None
    api_only = case.api.usd(asked, year_of(month)) if asked else 0.0
    tokens = asked.total if asked else 0.0
    if way is None:
        return Month(month, tokens, 0.0, 0.0, api_only, api_only, 0.0, 0.0, 0.0)
    machine, capacity = case.machine(way), case.machine(way).capacity
    share = used = 0.0
    if asked and capacity:
        needed = capacity.utilisation(asked)
        used = min(needed, capacity.ceiling(best(case.load.peak_to_mean)))
        share = used / needed if needed else 1.0
    return Month(
        month=month,
        tokens_asked=tokens,
        tokens_served=tokens * share,
        utilisation=used,
        api_only_usd=api_only,
        overflow_usd=api_only * (1 - share),
        machine_usd=machine.usd_per_month(used) if month else 0.0,
        bought_usd=machine.bought_usd(month, case.horizon_months),
        sold_usd=machine.sold_usd(month, case.horizon_months),
    )
