"""Claim: 8x A100 is viable from $70,000 a year of API costs.  That is so with free capital and nobody to run it."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._parts import check
from assumptions._strategy import GUIDE, NODE, NODE_ID, Market, finding, market, of_a_purchase, replaces, usd
from assumptions.formulas.strategy_claims import (
    Purchase,
    falling_bill_usd,
    people_and_support_usd_per_year,
    usd_per_year,
)
from inventories.costs import cost
from tasks.site import Site

SAID_USD_PER_YEAR = 70_000.0  # Total Cost of Ownership, "Only viable if scaling to $70,000+/year API costs"
TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class Viable:
    """What the strategy says, of which machine, and what it leaves out: capital, support and people, all assumed."""

    said_usd_per_year: float
    machine: Purchase
    capital_rate_per_year: float
    support_and_people_usd_per_year: tuple[float, float]
    api_decline_share_per_year: float
    market: Market


def observe(site: Site, stage: Stage) -> Viable:
    """The strategy's own numbers; what it leaves out from catalog/costs.yaml."""
    support, posts, post = (cost(id) for id in ("support-share-per-year", "staff-fte", "usd-per-fte-year"))
    ends = (support.low, support.high)
    few, many = (people_and_support_usd_per_year(NODE.hardware_usd, end, posts.mid, post.mid) for end in ends)
    rate, decline = cost("discount-rate-per-year").mid, cost("decline-share-per-year").mid
    return Viable(SAID_USD_PER_YEAR, NODE, rate, (few, many), decline, market(site.inventory))


@of_a_purchase
def judge(seen: Viable, _inventory: object) -> Finding:
    """The straight sum, then the same with what capital costs; each must lie within the said bill."""
    straight, capital = usd_per_year(seen.machine, 0.0), usd_per_year(seen.machine, seen.capital_rate_per_year)
    few, many = (capital + more for more in seen.support_and_people_usd_per_year)
    most = seen.said_usd_per_year * (1 + TOLERANCE)
    first = f"{usd(seen.machine.total_usd)} over {seen.machine.years} years is {usd(straight)} a year with free capital"
    then = f"{usd(capital)} at {seen.capital_rate_per_year:.0%} a year (assumed)"
    said = f"{first}, {then}, {usd(few)} to {usd(many)} with support and staff (assumed)"
    expected = f"<= {usd(seen.said_usd_per_year)}"
    parts = (
        check("sum", straight <= most, first, expected=expected, measured=usd(straight)),
        check("capital", capital <= most, said, expected=expected, measured=usd(capital)),
        replaces(NODE_ID, seen.said_usd_per_year, seen.market),
    )
    return finding(
        parts,
        said,
        expected=f"{usd(seen.said_usd_per_year)} a year of API pays for it",
        measured=f"{usd(straight)}, {usd(capital)} with capital",
        threshold=f"within {TOLERANCE:.0%}, capital included",
        seen=seen.market,
        value=round(capital, 0),
        unit="USD a year",
        notes=(_falling(seen), "whether the model fits on it at all is the claim memory-fit"),
    )


def _falling(seen: Viable) -> str:
    years, share = seen.machine.years, seen.api_decline_share_per_year
    total = falling_bill_usd(seen.said_usd_per_year, share, years)
    said = f"if API prices fall {share:.0%} a year (assumed), that bill totals {usd(total)} over {years} years"
    return f"{said}, not {usd(seen.said_usd_per_year * years)}"


ASSUMPTION = Assumption(
    id="professional-at-70k",
    guide=f"{GUIDE}, Total Cost of Ownership",
    states="8x A100 becomes viable at $70,000 a year of API costs.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Add capital, support, staff, colocation and the fall of API prices, as beachhead cost does.",
    version=1,
    observe=observe,
    judge=judge,
)
