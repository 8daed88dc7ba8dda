"""Claim: a million tokens of one's own cost $0.11.  Only a measured throughput could show it."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._parts import check
from assumptions._strategy import (
    GUIDE,
    MAC,
    MAC_TOKENS_PER_SECOND,
    NODE,
    NODE_ID,
    TITLES,
    Market,
    finding,
    market,
    of_a_purchase,
    usd,
)
from assumptions.formulas.money import SECONDS_PER_YEAR
from assumptions.formulas.strategy_claims import Purchase, tokens_per_second_for
from assumptions.formulas.tokens import MILLION
from tasks.site import Site

SAID_USD_PER_MILLION = 0.11  # The Token Economics Battlefield, "On-premise production: ~$0.11/M tokens"
TOLERANCE_USD = 0.005  # the strategy prints whole cents
PUBLIC_RUN = (
    "a public run of Kimi K2 Thinking on 8x H200 made 13,290 tokens a second in all, with a mean first token after "
    "228 s (vllm-project/recipes@8959cf6 moonshotai/Kimi-K2-Think.md; measured elsewhere)"
)
OTHER_MODEL = "the strategy's 30,000+ tokens a second are for 70B models (Option 2), not for this one"


@dataclass(frozen=True, slots=True)
class OwnCost:
    """What the strategy says, of which machine, and what was measured on it."""

    said_usd_per_million: float
    machine: Purchase
    market: Market


def observe(site: Site, stage: Stage) -> OwnCost:
    """The strategy's own numbers, and the inventory's measured throughput if it declares one."""
    return OwnCost(SAID_USD_PER_MILLION, NODE, market(site.inventory))


def reached(said_usd_per_million: float, machine: Purchase, machine_id: str, seen: Market) -> Part:
    """Whether the machine makes tokens at that price when busy all year; UNKNOWN without a measured rate."""
    yearly = machine.total_usd / machine.years
    needed = tokens_per_second_for(yearly, said_usd_per_million)
    rate = seen.tokens_per_second.get(machine_id)
    made = None if rate is None else yearly / (rate * SECONDS_PER_YEAR) * MILLION
    said = f"on {usd(yearly)} a year it needs {needed:,.0f} tokens a second all year; {TITLES[machine_id]} "
    said += "was not measured" if rate is None else f"was measured at {rate:,.0f}: ${made:.2f}"
    return check(
        "own price",
        None if made is None else made <= said_usd_per_million + TOLERANCE_USD,
        said,
        expected=f"<= ${said_usd_per_million:.2f} a million",
        measured="not measured" if made is None else f"${made:.3f}",
    )


@of_a_purchase
def judge(seen: OwnCost, _inventory: object) -> Finding:
    """The yearly cost over the tokens of a machine that is busy all year."""
    part = reached(seen.said_usd_per_million, seen.machine, NODE_ID, seen.market)
    needed = tokens_per_second_for(seen.machine.total_usd / seen.machine.years, seen.said_usd_per_million)
    return finding(
        (part,),
        part.because,
        expected=f"${seen.said_usd_per_million:.2f} a million tokens",
        measured=part.measured,
        threshold=f"+ ${TOLERANCE_USD:g}, busy day and night",
        value=round(needed, 1),
        unit="tokens/s needed",
        notes=(PUBLIC_RUN, OTHER_MODEL, _mac()),
    )


def _mac() -> str:
    slow, fast = (MAC.total_usd / MAC.years / (rate * SECONDS_PER_YEAR) * MILLION for rate in MAC_TOKENS_PER_SECOND)
    return f"at its own 2 to 5 tokens a second the Mac Studio's cost ${fast:.2f} to ${slow:.2f} a million, input free"


ASSUMPTION = Assumption(
    id="own-cost-11-cents",
    guide=f"{GUIDE}, The Token Economics Battlefield",
    states="A million tokens of one's own cost about $0.11.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Measure tokens per second at the SLO on that machine, declare them as money.capacity, and judge again.",
    version=1,
    observe=observe,
    judge=judge,
)
