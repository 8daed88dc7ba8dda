"""Claim: the Mac Studio's return is 54 % over five years.  That is the share of the API bill saved, not a return."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._parts import check
from assumptions._strategy import (
    API_USD_PER_YEAR,
    GUIDE,
    MAC,
    MAC_ID,
    Market,
    finding,
    market,
    of_a_purchase,
    replaces,
    usd,
)
from assumptions.formulas.strategy_claims import Purchase, Returns, returns
from inventories.costs import cost
from tasks.site import Site

SAID_PERCENT = 54.0  # Total Cost of Ownership, "ROI: 54% savings over 5 years"
TOLERANCE_PERCENT = 0.5  # the strategy prints whole per cent


@dataclass(frozen=True, slots=True)
class Return:
    """What the strategy says, and the market it says it of; the discount rate is assumed."""

    said_percent: float
    machine: Purchase
    api_usd_per_year: float
    discount_rate_per_year: float
    market: Market


def observe(site: Site, stage: Stage) -> Return:
    """The strategy's own numbers; no host is asked."""
    rate = cost("discount-rate-per-year").mid
    return Return(SAID_PERCENT, MAC, API_USD_PER_YEAR, rate, market(site.inventory))


@of_a_purchase
def judge(seen: Return, _inventory: object) -> Finding:
    """The gain over the price, or over all that was paid; either reading may hold."""
    found = returns(seen.machine, seen.api_usd_per_year, seen.discount_rate_per_year)
    price, paid = found.saved_share_of_hardware * 100, found.saved_share_of_total * 100
    holds = min(abs(price - seen.said_percent), abs(paid - seen.said_percent)) <= TOLERANCE_PERCENT
    said = f"{usd(found.saved_usd)} gained is {price:.0f} % of the price and {paid:.0f} % of all that is paid"
    low = "" if holds or paid < seen.said_percent else f": {seen.said_percent:g} % errs against its own case"
    measured = f"{price:.1f} % of the price, {paid:.1f} % of all paid"
    parts = (
        check("return", holds, said + low, expected=f"{seen.said_percent:g} %", measured=measured),
        replaces(MAC_ID, seen.api_usd_per_year, seen.market),
    )
    return finding(
        parts,
        said,
        expected=f"a return of {seen.said_percent:g} %",
        measured=measured,
        threshold=f"+- {TOLERANCE_PERCENT:g} points, over the price or over all costs",
        seen=seen.market,
        value=round(price, 2),
        unit="% of the price",
        notes=_notes(found, seen),
    )


def _notes(found: Returns, seen: Return) -> tuple[str, ...]:
    share = f"{found.saved_share_of_api:.1%} is the saving as a share of the API bill"
    rate = f"{found.irr_per_year:.0%}" if found.irr_per_year is not None else "none"
    worth = f"worth {usd(found.npv_usd)} today at {seen.discount_rate_per_year:.0%} a year (assumed)"
    return share, f"internal rate of return {rate} a year, {worth}, if the whole bill is replaced"


ASSUMPTION = Assumption(
    id="roi-54-percent",
    guide=f"{GUIDE}, Total Cost of Ownership",
    states="The Mac Studio returns 54 % over five years.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Name the figure a saving on the API bill, give the return on the money put in, and measure first.",
    version=1,
    observe=observe,
    judge=judge,
)
