"""Claim: one's own tokens are 18 times cheaper than the API's.  It hangs on a mix that the strategy doesn't name."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._parts import check
from assumptions._strategy import (
    GUIDE,
    NODE,
    NODE_ID,
    Market,
    finding,
    market,
    of_a_purchase,
)
from assumptions.formulas.strategy_claims import advantage, output_share_at
from assumptions.formulas.tokens import Tokens, mix
from assumptions.own_cost_11_cents import SAID_USD_PER_MILLION, reached
from tasks.site import Site

SAID_TIMES = 18.0  # The Token Economics Battlefield, "~$0.11/M tokens (18x cost advantage)"
TOLERANCE_TIMES = 0.5  # the strategy prints whole numbers
OTHER_MIXES = {"1:1": mix(1), "3:1": mix(3), "10:1": mix(10), "10:1, 75 % cached": mix(10, 0.75)}


@dataclass(frozen=True, slots=True)
class Advantage:
    """What the strategy says, and the market it says it of."""

    said_times: float
    own_usd_per_million: float
    market: Market


def observe(site: Site, stage: Stage) -> Advantage:
    """The strategy's own numbers; no host is asked."""
    return Advantage(SAID_TIMES, SAID_USD_PER_MILLION, market(site.inventory))


@of_a_purchase
def judge(seen: Advantage, _inventory: object) -> Finding:
    """The API's price of this load's mix over one's own; more than was said holds too."""
    found = _times(seen, seen.market.of)
    holds = found >= seen.said_times - TOLERANCE_TIMES
    parts = (
        check("mix", holds, _why(seen, found), expected=f">= {seen.said_times:g}", measured=f"{found:.1f}"),
        reached(seen.own_usd_per_million, NODE, NODE_ID, seen.market),
    )
    others = ", ".join(f"{name} {_times(seen, of):.1f}" for name, of in OTHER_MIXES.items())
    return finding(
        parts,
        _why(seen, found),
        expected=f"{seen.said_times:g} times at this load's mix",
        measured=f"{found:.1f} times",
        threshold=f">= {seen.said_times - TOLERANCE_TIMES:g} times",
        seen=seen.market,
        value=round(found, 2),
        unit="times",
        limit=seen.said_times - TOLERANCE_TIMES,
        notes=(f"times by input to output: {others}",),
    )


def _times(seen: Advantage, of: Tokens) -> float:
    return advantage(seen.market.prices, of, seen.own_usd_per_million)


def _why(seen: Advantage, found: float) -> str:
    share = output_share_at(seen.said_times * seen.own_usd_per_million, seen.market.prices)
    wanted = "no mix of tokens" if share is None else f"a mix with {share:.1%} output"
    here = f"{found:.1f} at this load's {_ratio(seen.market.of)}, {_times(seen, mix(1)):.1f} at 1:1"
    return f"{seen.said_times:g} x ${seen.own_usd_per_million:g} is the API's price of {wanted}; it is {here}"


def _ratio(of: Tokens) -> str:
    return f"{of.total / of.output - 1:.3g}:1" if of.output else "mix"


ASSUMPTION = Assumption(
    id="advantage-18x",
    guide=f"{GUIDE}, The Token Economics Battlefield",
    states="A token of one's own costs an eighteenth of the API's.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Compare at your own mix of input, cached input and output, and with a price of your own from a measured "
    "throughput.",
    version=1,
    observe=observe,
    judge=judge,
)
