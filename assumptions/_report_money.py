"""The money that hangs on a claim, by three rules, and what the cheapest look at it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from assumptions._core import Evidence, Outcome, Severity, Stage
from assumptions._report_price import Price, usd

PURCHASE, IDLE, NOTHING = "the purchase", "idle days", "nothing"
RULES: Mapping[str, str] = MappingProxyType(
    {
        PURCHASE: "a blocking claim about the plan or the hosts: the machine's whole price, "
        "for what can't serve the model was bought for nothing",
        IDLE: "a blocking claim about weights, engine or gateway: what a day of the machine costs (price / life, "
        "or rent), for it stands idle until that is mended",
        NOTHING: "advice, what does not apply, what is excused, and a rehearsal: the deployment does not rest on it",
    }
)
RULE_OF = {Stage.PLAN: PURCHASE, Stage.HOST: PURCHASE}
DAYS_A_YEAR, HOURS_A_DAY, HOURS_A_MONTH = 365.25, 24, 730.5
NO_PRICE = "not told: no price (money.own.hardware_usd)"


@dataclass(frozen=True, slots=True)
class AtRisk:
    """The rule that was applied and what comes of it; `text` is empty where nothing is at risk."""

    rule: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A way to find out; `rank` orders by cost."""

    rank: int
    kind: str
    takes: str
    cost: str
    command: str


LADDER: Mapping[Stage, tuple[str, str, str]] = MappingProxyType(
    {
        Stage.PLAN: ("on paper", "seconds", "beachhead plan {inventory}"),
        Stage.HOST: (
            "a look at the host, nothing is changed",
            "minutes",
            "beachhead validate {inventory} --only {claim}",
        ),
        Stage.WEIGHTS: ("the weights on its disk", "hours", "beachhead fetch {inventory}"),
        Stage.STAGING: ("the engine started beside what is live", "an hour", "beachhead deploy {inventory}"),
        Stage.LIVE: ("a look at what is live", "minutes", "beachhead validate {inventory} --only {claim}"),
    }
)


def at_risk(record: Evidence, price: Price | None) -> AtRisk:
    """What this claim's failing would cost, or make worthless; also for one that holds now."""
    excused = record.excused and record.finding.outcome is Outcome.UNKNOWN
    if (
        record.severity is not Severity.BLOCKING
        or record.finding.outcome is Outcome.NOT_APPLICABLE
        or excused
        or price is None
    ):
        return AtRisk(NOTHING)
    rule = RULE_OF.get(record.stage, IDLE)
    return AtRisk(rule, _purchase(price) if rule == PURCHASE else _idle(price))


def experiment(claim: str, stage: Stage, inventory: str, price: Price | None) -> Experiment:
    """The cheapest way to judge the claim at its stage once more."""
    kind, takes, command = LADDER[stage]
    return Experiment(
        rank=list(Stage).index(stage),
        kind=kind,
        takes=takes,
        cost=_cost(stage, price),
        command=command.format(inventory=inventory, claim=claim),
    )


def _purchase(price: Price) -> str:
    if price.hardware_usd:
        return usd(price.hardware_usd)
    if price.rent_usd_per_hour:
        return f"{usd([each * HOURS_A_MONTH for each in price.rent_usd_per_hour])} a month of rent"
    return NO_PRICE


def _idle(price: Price) -> str:
    if price.hardware_usd and price.life_years:
        days = [years * DAYS_A_YEAR for years in price.life_years]
        return f"{usd([price.hardware_usd[0] / days[-1], price.hardware_usd[-1] / days[0]])} a day"
    if price.rent_usd_per_hour:
        return f"{usd([each * HOURS_A_DAY for each in price.rent_usd_per_hour])} a day of rent"
    return NO_PRICE


def _cost(stage: Stage, price: Price | None) -> str:
    """Nothing on paper and on a host at hand; else an hour of the same machine, rented."""
    if stage is Stage.PLAN or price is None or price.at_hand:
        return "no money"
    if price.rent_usd_per_hour:
        return f"{usd(price.rent_usd_per_hour)} for each rented hour"
    return "a rented hour; no rent found"
