"""The Kimi K2.5 hardware strategy's own numbers, section by section, and what the claims about them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from assumptions._core import Finding, Outcome, Part, Provenance, Sense
from assumptions._parts import because, check, worst
from assumptions.formulas.capacity import Capacity
from assumptions.formulas.money import SECONDS_PER_MONTH, BadAssumption
from assumptions.formulas.strategy_claims import Purchase, tokens_per_second_for
from assumptions.formulas.tokens import ApiPrices, Tokens, blended_usd_per_million, mix
from inventories.costs import cost, machine_of
from inventories.figures import price
from inventories.money import Money
from inventories.schema import Inventory

GUIDE = "K2.5 hardware strategy"
API_MODEL = "kimi-k2.5"
# Total Cost of Ownership, "5-Year Campaign"
API_USD_PER_YEAR = 5_475.0  # "$15/day average API costs ($5,475/year)"
MAC = Purchase(hardware_usd=10_000, running_usd_per_year=500, years=5)
NODE = Purchase(hardware_usd=275_000, running_usd_per_year=15_000, years=5)
# Hardware Options: ids in catalog/machines.yaml
MAC_ID, NODE_ID = "mac-studio-m3-ultra", "a100x8"
TITLES = {MAC_ID: "the Mac Studio", NODE_ID: "8x A100"}
MAC_TOKENS_PER_SECOND = (2.0, 5.0)  # Option 1, "2-5 tokens/sec"

Seen = TypeVar("Seen")
Judge = Callable[[Seen, Inventory], Finding]


@dataclass(frozen=True, slots=True)
class Market:
    """The API's prices, the load's mix, and the rate of that mix measured on each machine, by catalog id."""

    prices: ApiPrices
    source: str
    of: Tokens
    mix_is_assumed: bool
    tokens_per_second: Mapping[str, float]

    @property
    def usd_per_million(self) -> float:
        """What a million tokens of the mix cost on the API."""
        return blended_usd_per_million(self.prices, self.of)


def market(inventory: Inventory) -> Market:
    """Kimi K2.5's prices from the catalog; mix and measured rate from the inventory's money block, if any."""
    found = [price(f"api-{API_MODEL}-{each}").usd for each in ("input", "cached-input", "output")]
    prices = ApiPrices(*(each.value for each in found))
    of, assumed = _mix(inventory.money)
    source = f"{found[0].source}, {found[0].as_of}"
    return Market(prices, source, of, assumed, _measured(inventory, of))


def _mix(money: Money | None) -> tuple[Tokens, bool]:
    """One output token and its input; the mix of costs.yaml where the inventory declares none."""
    cached = money.load.cached_share.mid if money and money.load.cached_share else cost("cached-share").mid
    load = money.load if money else None
    if load and load.input_tokens_per_month and load.output_tokens_per_month and load.output_tokens_per_month.mid > 0:
        return mix(load.input_tokens_per_month.mid / load.output_tokens_per_month.mid, cached), False
    if load and load.input_per_output:
        return mix(load.input_per_output, cached), False
    return mix(cost("input-per-output").mid, cached), True


def _measured(inventory: Inventory, of: Tokens) -> dict[str, float]:
    """Tokens of the mix per second on the inventory's own machine, where all its classes were measured."""
    money = inventory.money
    if money is None or money.capacity is None:
        return {}
    given, machine = money.capacity, machine_of(inventory)
    rates = (given.input_tokens_per_second, given.cached_input_tokens_per_second, given.output_tokens_per_second)
    fresh, cached, output = (None if rate is None else rate.mid for rate in rates)
    try:
        capacity = Capacity(fresh, cached, output, measured=given.measured)
        if machine is None or capacity.missing(of):
            return {}
        return {machine.id: of.total / (capacity.utilisation(of) * SECONDS_PER_MONTH)}
    except BadAssumption:
        return {}


def replaces(machine: str, usd_per_year: float, seen: Market) -> Part:
    """Whether the machine can serve all the tokens that this API bill buys: only a measured rate can tell."""
    needed, rate = tokens_per_second_for(usd_per_year, seen.usd_per_million), seen.tokens_per_second.get(machine)
    why = f"${usd_per_year:,.0f} a year of API is {needed:,.0f} tokens a second all year; {TITLES[machine]} "
    said = "was not measured" if rate is None else f"was measured at {rate:,.0f}"
    return check(
        f"replaces the bill, {machine}",
        None if rate is None else rate >= needed,
        why + said,
        expected=f">= {needed:,.1f} tokens/s",
        measured="not measured" if rate is None else f"{rate:,.1f} tokens/s",
    )


def finding(
    parts: tuple[Part, ...],
    otherwise: str,
    *,
    expected: str,
    measured: str,
    threshold: str,
    seen: Market | None = None,
    value: float | None = None,
    unit: str = "",
    notes: tuple[str, ...] = (),
    limit: float | None = None,
    sense: Sense = Sense.LEAST,
) -> Finding:
    """The worst part decides.  All of it is arithmetic on the strategy's own figures."""
    shown: tuple[str, ...] = (f"API prices: {seen.source}",) if seen else ()
    if seen and seen.mix_is_assumed:
        shown += (f"the mix of {seen.of.total - 1:g} input tokens to one output is assumed: the strategy names none",)
    return Finding(
        outcome=worst(parts),
        because=because(parts, otherwise),
        expected=expected,
        measured=measured,
        threshold=threshold,
        threshold_source=f"{GUIDE}: its own figures, and arithmetic on them",
        provenance=Provenance.MODELLED,
        value=value,
        unit=unit,
        parts=parts,
        notes=(*notes, *shown),
        limit=limit,
        sense=sense,
    )


def of_a_purchase(judge: Judge[Seen]) -> Judge[Seen]:
    """The same judge, for inventories that stand for something one buys."""

    @wraps(judge)
    def judged(seen: Seen, inventory: Inventory) -> Finding:
        if inventory.kind != "rehearsal":
            return judge(seen, inventory)
        why = "nothing is bought in a rehearsal"
        return Finding(Outcome.NOT_APPLICABLE, why, "a purchase", "a rehearsal", "", GUIDE, Provenance.MODELLED)

    return judged


def usd(amount: float) -> str:
    """Whole dollars, with the sign before them."""
    return f"{'-' if amount < 0 else ''}${abs(amount):,.0f}"


def months(found: float | None) -> str:
    """Months to a tenth; None is never."""
    return "never" if found is None else f"{found:,.1f} months"
