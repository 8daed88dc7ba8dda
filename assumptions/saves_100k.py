"""Claim: $10,000 of hardware save $100,000 of API costs.  The whole bill of the strategy's five years is $27,375."""

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
from assumptions.formulas.strategy_claims import Purchase
from tasks.site import Site

SAID_USD = 100_000.0  # the last line: "$10K hardware investment saves $100K in future API costs"


@dataclass(frozen=True, slots=True)
class Saving:
    """What is said, the machine, the bill that it replaces, and the market."""

    said_usd: float
    machine: Purchase
    api_usd_per_year: float
    market: Market


def observe(site: Site, stage: Stage) -> Saving:
    """The strategy's own numbers; no host is asked."""
    return Saving(SAID_USD, MAC, API_USD_PER_YEAR, market(site.inventory))


@of_a_purchase
def judge(seen: Saving, _inventory: object) -> Finding:
    """The whole bill over the machine's years, before its own costs; whether the machine serves what it buys."""
    years, bill = seen.machine.years, seen.api_usd_per_year * seen.machine.years
    net = bill - seen.machine.total_usd
    said = f"{years} years of API are {usd(bill)}, {usd(net)} after the machine's own costs; {usd(seen.said_usd)} take "
    said += f"{seen.said_usd / seen.api_usd_per_year:.1f} years of that bill"
    parts = (
        check("bill", bill >= seen.said_usd, said, expected=f">= {usd(seen.said_usd)}", measured=usd(bill)),
        replaces(MAC_ID, seen.api_usd_per_year, seen.market),
    )
    return finding(
        parts,
        said,
        expected=f"{usd(seen.said_usd)} of API costs in {years} years",
        measured=usd(bill),
        threshold=f">= {usd(seen.said_usd)}, the machine's own costs not counted",
        seen=seen.market,
        value=round(bill, 0),
        unit="USD of API in all",
        limit=seen.said_usd,
    )


ASSUMPTION = Assumption(
    id="saves-100k",
    guide=f"{GUIDE}, Final Strategic Assessment",
    states="A machine for $10,000 saves $100,000 of API costs.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Drop the sentence: at $15 a day no machine can save more than $27,375 in five years.",
    version=1,
    observe=observe,
    judge=judge,
)
