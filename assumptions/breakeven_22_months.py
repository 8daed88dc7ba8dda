"""Claim: the Mac Studio breaks even after 22 months.  The sum forgets what it costs to run."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._parts import check
from assumptions._strategy import (
    API_USD_PER_YEAR,
    GUIDE,
    MAC,
    MAC_ID,
    MAC_TOKENS_PER_SECOND,
    Market,
    finding,
    market,
    months,
    of_a_purchase,
    replaces,
    usd,
)
from assumptions.formulas.money import SECONDS_PER_YEAR
from assumptions.formulas.strategy_claims import Purchase, returns
from assumptions.formulas.tokens import usd_for_tokens
from tasks.site import Site

SAID_MONTHS = 22.0  # Total Cost of Ownership, "Breakeven: 22 months"
TOLERANCE_MONTHS = 0.5  # the strategy prints whole months


@dataclass(frozen=True, slots=True)
class Breakeven:
    """What the strategy says, and the market it says it of."""

    said_months: float
    machine: Purchase
    api_usd_per_year: float
    market: Market


def observe(site: Site, stage: Stage) -> Breakeven:
    """The strategy's own numbers; no host is asked."""
    return Breakeven(SAID_MONTHS, MAC, API_USD_PER_YEAR, market(site.inventory))


@of_a_purchase
def judge(seen: Breakeven, _inventory: object) -> Finding:
    """The payback net of running costs, and whether the machine serves what the bill buys."""
    found = returns(seen.machine, seen.api_usd_per_year, 0.0)
    net, gross = found.payback_months, found.payback_months_without_running
    said = f"{usd(seen.machine.hardware_usd)} / {usd(seen.api_usd_per_year)} a year is {months(gross)}"
    said += f"; less the {usd(seen.machine.running_usd_per_year)} a year it costs to run, {months(net)}"
    holds = net is not None and abs(net - seen.said_months) <= TOLERANCE_MONTHS
    expected = f"{seen.said_months:g} months"
    parts = (
        check("sum", holds, said, expected=expected, measured=months(net)),
        replaces(MAC_ID, seen.api_usd_per_year, seen.market),
    )
    return finding(
        parts,
        said,
        expected=expected,
        measured=months(net),
        threshold=f"+- {TOLERANCE_MONTHS:g} months",
        seen=seen.market,
        value=None if net is None else round(net, 2),
        unit="months",
        notes=(own_speed(seen.market),),
    )


def own_speed(seen: Market) -> str:
    """What the strategy's own 2 to 5 tokens a second are worth on the API in a year."""
    yearly = MAC_TOKENS_PER_SECOND[1] * SECONDS_PER_YEAR * seen.of.total / seen.of.output
    worth = usd_for_tokens(yearly, seen.usd_per_million)
    return f"its own 2 to 5 tokens a second, taken as output, are worth {usd(worth)} a year on the API at most"


ASSUMPTION = Assumption(
    id="breakeven-22-months",
    guide=f"{GUIDE}, Total Cost of Ownership",
    states="A Mac Studio for $10,000 breaks even after 22 months against $15 a day of API.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Count the running costs, and measure the Mac's tokens per second at your own mix before you buy one.",
    version=1,
    observe=observe,
    judge=judge,
)
