"""Claim: 8x B200 is three times as fast as 8x A100.  As its own figures say; for this model nobody measured both."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._paper import ROUNDED, figure, finding
from assumptions._parts import check
from assumptions._strategy import GUIDE, NODE_ID, market, of_a_purchase
from assumptions.a100x8_30000_tokens_s import SAID as NODE_SAID
from assumptions.b200x8_99000_tokens_s import MACHINE
from assumptions.b200x8_99000_tokens_s import SAID as B200_SAID
from tasks.site import Site

SAID_TIMES = 3.0  # Hardware Options, Option 3, "3x performance leap"
NEAREST = (
    "published for Kimi K2.5 in INT4, B200 over H200 at 4 to 64 users: 1.14 to 1.56 times (InferenceX, as quoted by "
    "kimi-capacity-report.pages.dev); of any Kimi on A100 nothing was found"
)
PAPER = "on paper a B200 has 3.9 times an A100's memory bandwidth (8,000 and 2,039 GB/s) and 7.2 times its bf16 peak"


@dataclass(frozen=True, slots=True)
class Leap:
    """What is said, the strategy's own two rates, and the rates measured for this model; None where nobody did."""

    said_times: float
    own_rates: tuple[float, float]
    before: float | None
    after: float | None


def observe(site: Site, stage: Stage) -> Leap:
    """The strategy's own numbers, and the inventory's measured throughput: it can be one of the two machines."""
    rates = market(site.inventory).tokens_per_second
    return Leap(SAID_TIMES, (NODE_SAID, B200_SAID), rates.get(NODE_ID), rates.get(MACHINE))


@of_a_purchase
def judge(seen: Leap, _inventory: object) -> Finding:
    """The quotient of its own figures, and of two measurements of this model; more than was said holds too."""
    before, after = seen.own_rates
    own = after / before
    times = None if seen.before is None or seen.after is None else seen.after / seen.before
    which = ", ".join(name for name, rate in (("8x A100", seen.before), ("8x B200", seen.after)) if rate is None)
    told = f"not measured: {which}" if times is None else f"measured: {times:.2f} times"
    parts = (
        figure("own figures", own, seen.said_times, "times", f"{after:,.0f} over {before:,.0f} is {own:.2f}"),
        check(
            "Kimi K2.5",
            None if times is None else times >= seen.said_times,
            told,
            expected=f">= {seen.said_times:g} times",
            measured="not measured" if times is None else f"{times:.2f} times",
        ),
    )
    return finding(
        parts,
        good=f"{own:.2f} by its own figures, {told}",
        expected=f"{seen.said_times:g} times",
        measured=f"{own:.2f} by its own figures; {told}",
        threshold=f">= {seen.said_times:g} times, measured on both machines",
        source=f"{GUIDE}, Hardware Options, Options 2 and 3; {ROUNDED}",
        value=None if times is None else round(times, 2),
        unit="" if times is None else "times",
        limit=None if times is None else seen.said_times,
        notes=(NEAREST, PAPER),
    )


ASSUMPTION = Assumption(
    id="b200-3x-leap",
    guide=f"{GUIDE}, Hardware Options, Option 3",
    states="8x B200 serves Kimi K2.5 three times as fast as 8x A100.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Rent both for an hour and run vllm bench serve at the same mix; the figures are for other models.",
    version=1,
    observe=observe,
    judge=judge,
)
