"""Claim: 45 million tokens a month justify professional hardware.  They cost less than $150 on the API."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._parts import check
from assumptions._strategy import GUIDE, NODE, NODE_ID, Market, finding, market, of_a_purchase, replaces, usd
from assumptions.formulas.money import MONTHS_PER_YEAR, best
from assumptions.formulas.strategy_claims import Purchase, least_api_usd_per_month
from assumptions.formulas.tokens import per_second_from_month, tokens_for_usd, usd_for_tokens
from tasks.site import Site

SAID_TOKENS_PER_MONTH = 45e6  # The Token Economics Battlefield, "45M tokens/month to justify professional hardware"
TOLERANCE = 0.05  # "45M" stands for what lies within 5 %


@dataclass(frozen=True, slots=True)
class Threshold:
    """What the strategy says, of which machine, and the market it says it of."""

    said_tokens_per_month: float
    machine: Purchase
    market: Market


def observe(site: Site, stage: Stage) -> Threshold:
    """The strategy's own numbers; no host is asked."""
    return Threshold(SAID_TOKENS_PER_MONTH, NODE, market(site.inventory))


@of_a_purchase
def judge(seen: Threshold, _inventory: object) -> Finding:
    """The API's bill for so many tokens against the machine's cost of a month; the dearest class bounds it."""
    cost, dearest = least_api_usd_per_month(seen.machine), _dearest(seen.market)
    needed, fewest = tokens_for_usd(cost, seen.market.usd_per_million), tokens_for_usd(cost, dearest)
    most = seen.said_tokens_per_month * (1 + TOLERANCE)
    holds = True if most >= needed else False if most < fewest else None
    said = _why(seen, cost, dearest, needed, fewest)
    worth = usd_for_tokens(seen.said_tokens_per_month, seen.market.usd_per_million)
    value = check("value", holds, said, expected=f">= {usd(cost)} a month", measured=f"{usd(worth)} a month")
    parts = (value, replaces(NODE_ID, worth * MONTHS_PER_YEAR, seen.market))
    return finding(
        parts,
        said,
        expected=f"{seen.said_tokens_per_month / 1e6:,.0f} M tokens replace {usd(cost)} a month",
        measured=f"{usd(worth)} a month on the API",
        threshold=f"within {TOLERANCE:.0%}, at this load's mix; FAIL only if not even all output would do",
        seen=seen.market,
        value=round(needed / 1e6, 1),
        unit="M tokens a month needed",
        notes=(f"it is {per_second_from_month(seen.said_tokens_per_month):.0f} tokens a second, day and night",),
    )


def _why(seen: Threshold, cost: float, dearest: float, needed: float, fewest: float) -> str:
    said, tokens = seen.said_tokens_per_month, f"{seen.said_tokens_per_month / 1e6:,.0f} M"
    worth, most = (usd_for_tokens(said, each) for each in (seen.market.usd_per_million, dearest))
    return (
        f"{tokens} cost {usd(worth)} on the API, {usd(most)} if all is output; the machine costs {usd(cost)} a month: "
        f"{needed / 1e6:,.0f} M are needed, {needed / said:.0f} times as many ({fewest / said:.0f} if all is output)"
    )


def _dearest(seen: Market) -> float:
    prices = seen.prices
    classes = (prices.input_usd_per_million, prices.cached_input_usd_per_million, prices.output_usd_per_million)
    return max(best(each) for each in classes)


ASSUMPTION = Assumption(
    id="tokens-45m-a-month",
    guide=f"{GUIDE}, The Token Economics Battlefield",
    states="45 million tokens a month justify professional hardware.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Take the threshold from your own mix and prices: beachhead cost prints it once a throughput was measured.",
    version=1,
    observe=observe,
    judge=judge,
)
