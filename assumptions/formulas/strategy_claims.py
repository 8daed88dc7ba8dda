"""The arithmetic behind the hardware strategy's own sentences, in its own yearly terms; payments at year's end."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions.formulas.money import (
    HOURS_PER_YEAR,
    MONTHS_PER_YEAR,
    MOST_USD,
    SECONDS_PER_YEAR,
    BadAssumption,
    annuity_usd_per_year,
    irr,
    npv_usd,
    number,
    simple_payback_months,
    whole,
)
from assumptions.formulas.tokens import (
    ApiPrices,
    Tokens,
    blended_usd_per_million,
    shared_time_tokens_per_second,
    tokens_for_usd,
    usd_for_tokens,
)

LONGEST_YEARS = 50


@dataclass(frozen=True, slots=True)
class Purchase:
    """What the strategy says of a machine: its price, what it costs to run, and for how long it is kept."""

    hardware_usd: float
    running_usd_per_year: float
    years: int

    def __post_init__(self) -> None:
        number("hardware_usd", self.hardware_usd, least=1)
        number("running_usd_per_year", self.running_usd_per_year)
        whole("years", self.years, least=1, most=LONGEST_YEARS)

    @property
    def total_usd(self) -> float:
        """Price and running costs of all years, undiscounted."""
        return self.hardware_usd + self.running_usd_per_year * self.years


@dataclass(frozen=True, slots=True)
class Returns:
    """A purchase that replaces a yearly API bill: what is saved, over what, and what the money earns."""

    saved_usd: float
    saved_share_of_api: float
    saved_share_of_hardware: float
    saved_share_of_total: float
    irr_per_year: float | None
    npv_usd: float
    payback_months: float | None
    payback_months_without_running: float | None


def returns(purchase: Purchase, api_usd_per_year: float, discount_rate_per_year: float) -> Returns:
    """Every reading of "ROI" and "breakeven" for one purchase, where it replaces the whole bill."""
    bill = number("api_usd_per_year", api_usd_per_year, least=1)
    rate = number("discount_rate_per_year", discount_rate_per_year, most=10)
    yearly = bill - purchase.running_usd_per_year
    saved = bill * purchase.years - purchase.total_usd
    payments = [-purchase.hardware_usd, *[yearly] * purchase.years]
    return Returns(
        saved_usd=saved,
        saved_share_of_api=saved / (bill * purchase.years),
        saved_share_of_hardware=saved / purchase.hardware_usd,
        saved_share_of_total=saved / purchase.total_usd,
        irr_per_year=irr(payments),
        npv_usd=npv_usd(payments, rate),
        payback_months=simple_payback_months(purchase.hardware_usd, yearly / MONTHS_PER_YEAR),
        payback_months_without_running=simple_payback_months(purchase.hardware_usd, bill / MONTHS_PER_YEAR),
    )


def usd_per_year(purchase: Purchase, capital_rate_per_year: float) -> float:
    """The purchase as an equal payment a year: capital paid off at that rate, and the running costs."""
    return (
        annuity_usd_per_year(purchase.hardware_usd, capital_rate_per_year, purchase.years)
        + purchase.running_usd_per_year
    )


def power_usd_per_year(kw: float, pue: float, usd_per_kwh: float) -> float:
    """What `kw` of IT load costs, drawn all year."""
    return (
        number("kw", kw, most=1e6) * number("pue", pue, least=1, most=10) * number("usd_per_kwh", usd_per_kwh, most=100)
    ) * HOURS_PER_YEAR


def people_and_support_usd_per_year(
    hardware_usd: float, support_share_per_year: float, staff_fte: float, usd_per_fte_year: float
) -> float:
    """A support contract as a share of the hardware's price, and the people who run it."""
    support = number("hardware_usd", hardware_usd) * number("support_share_per_year", support_share_per_year, most=1)
    return support + number("staff_fte", staff_fte, most=1e4) * number("usd_per_fte_year", usd_per_fte_year)


def rent_usd_per_year(gpus: int, usd_per_gpu_hour: float) -> float:
    """That many GPUs rented for every hour of a year."""
    hourly = number("usd_per_gpu_hour", usd_per_gpu_hour, most=1e4)
    return whole("gpus", gpus, least=1, most=100_000) * hourly * HOURS_PER_YEAR


def falling_bill_usd(first_year_usd: float, decline_share_per_year: float, years: int) -> float:
    """The sum of a yearly bill that falls by a share on every anniversary."""
    first, share = number("first_year_usd", first_year_usd), number("decline", decline_share_per_year, most=1)
    return sum(first * float((1 - share) ** year) for year in range(whole("years", years, least=1, most=LONGEST_YEARS)))


def api_value_usd_per_year(
    prices: ApiPrices, of: Tokens, *, prefill_tokens_per_second: float, decode_tokens_per_second: float, busy: float
) -> float:
    """What an API would charge for all that a machine serves in a year, busy for that share of it."""
    rate = shared_time_tokens_per_second(of, prefill_tokens_per_second, decode_tokens_per_second)
    served = rate * SECONDS_PER_YEAR * number("busy", busy, most=1)
    return usd_for_tokens(served, blended_usd_per_million(prices, of))


def tokens_per_second_for(usd_per_year_all_in: float, usd_per_million: float) -> float:
    """The rate, day and night, at which a machine of that yearly cost makes a million tokens for that much."""
    return tokens_for_usd(usd_per_year_all_in, usd_per_million) / SECONDS_PER_YEAR


def output_share_at(usd_per_million: float, prices: ApiPrices) -> float | None:
    """The share of output, nothing cached, at which the API's blended price is that; None when no mix gives it."""
    only_input = prices.usd(Tokens(1e6, 0, 0))
    gap = prices.usd(Tokens(0, 0, 1e6)) - only_input
    if gap == 0:
        raise BadAssumption("input and output cost the same: every mix has one price")
    share = (number("usd_per_million", usd_per_million) - only_input) / gap
    return share if 0 <= share <= 1 else None


def advantage(prices: ApiPrices, of: Tokens, own_usd_per_million: float) -> float:
    """How many times the API's price of that mix is one's own."""
    return blended_usd_per_million(prices, of) / number("own_usd_per_million", own_usd_per_million, least=1e-6)


def api_usd_per_month_to_pay_back_in(purchase: Purchase, months: float) -> float:
    """The monthly API bill that the purchase must replace to be back after that many months."""
    return purchase.hardware_usd / number("months", months, least=0.1, most=1e4) + _running(purchase)


def least_api_usd_per_month(purchase: Purchase) -> float:
    """The monthly API bill below which the purchase loses over all its years even if it could serve everything."""
    return purchase.total_usd / (purchase.years * MONTHS_PER_YEAR)


def gain_usd(purchase: Purchase, api_usd_per_month: float) -> float:
    """What replacing that bill for all years gains; below zero it loses."""
    bill = number("api_usd_per_month", api_usd_per_month)
    return bill * MONTHS_PER_YEAR * purchase.years - purchase.total_usd


def payback_of_bill_months(purchase: Purchase, api_usd_per_month: float) -> float | None:
    """How long replacing that bill takes to bring the price back, whatever the machine's life; None is never."""
    saving = number("api_usd_per_month", api_usd_per_month, most=MOST_USD) - _running(purchase)
    return simple_payback_months(purchase.hardware_usd, saving)


def _running(purchase: Purchase) -> float:
    return purchase.running_usd_per_year / MONTHS_PER_YEAR
