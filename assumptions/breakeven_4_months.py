"""Claim: dedicated hardware breaks even after four months.  No machine of the strategy does at its own API bill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._parts import check
from assumptions._strategy import (
    API_USD_PER_YEAR,
    GUIDE,
    MAC,
    MAC_ID,
    NODE,
    NODE_ID,
    TITLES,
    Market,
    finding,
    market,
    months,
    of_a_purchase,
    replaces,
    usd,
)
from assumptions.formulas.money import MONTHS_PER_YEAR
from assumptions.formulas.strategy_claims import Purchase, api_usd_per_month_to_pay_back_in, payback_of_bill_months
from tasks.site import Site

SAID_MONTHS = 4.0  # Executive Summary, "a compelling 4-month breakeven timeline"
TOLERANCE_MONTHS = 0.5  # the strategy prints whole months


@dataclass(frozen=True, slots=True)
class Soon:
    """What the strategy says, the machines it may say it of, and the market."""

    said_months: float
    machines: Mapping[str, Purchase]
    api_usd_per_year: float
    market: Market


def observe(site: Site, stage: Stage) -> Soon:
    """The strategy's own numbers; no host is asked."""
    return Soon(SAID_MONTHS, {MAC_ID: MAC, NODE_ID: NODE}, API_USD_PER_YEAR, market(site.inventory))


@of_a_purchase
def judge(seen: Soon, _inventory: object) -> Finding:
    """The sentence names no machine, so the soonest one counts."""
    monthly = seen.api_usd_per_year / MONTHS_PER_YEAR
    paid = {id: payback_of_bill_months(each, monthly) for id, each in seen.machines.items()}
    soonest = min(paid, key=lambda id: float("inf") if paid[id] is None else float(paid[id] or 0))
    found = paid[soonest]
    holds = found is not None and found <= seen.said_months + TOLERANCE_MONTHS
    said = _why(seen, paid)
    parts = (
        check("sum", holds, said, expected=f"<= {seen.said_months:g} months", measured=months(found)),
        replaces(soonest, seen.api_usd_per_year, seen.market),
    )
    return finding(
        parts,
        said,
        expected=f"{seen.said_months:g} months at {usd(monthly)} a month of API",
        measured=months(found),
        threshold=f"<= {seen.said_months + TOLERANCE_MONTHS:g} months, whichever machine is soonest",
        seen=seen.market,
        value=None if found is None else round(found, 2),
        unit="months",
        notes=("$70,000 is also the strategy's yearly threshold for 8x A100",),
    )


def _why(seen: Soon, paid: Mapping[str, float | None]) -> str:
    each = " and ".join(f"{TITLES[id]} after {months(found)}" for id, found in paid.items())
    asked = [usd(api_usd_per_month_to_pay_back_in(one, seen.said_months)) for one in seen.machines.values()]
    yearly = usd(seen.api_usd_per_year)
    said = f"at {yearly} a year of API {each}; {seen.said_months:g} months need {' and '.join(asked)} a month"
    return said.replace("after never", "never")


ASSUMPTION = Assumption(
    id="breakeven-4-months",
    guide=f"{GUIDE}, Executive Summary",
    states="Dedicated hardware breaks even after four months.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Drop the sentence: it contradicts the strategy's own 22 months; take the payback from beachhead cost.",
    version=1,
    observe=observe,
    judge=judge,
)
