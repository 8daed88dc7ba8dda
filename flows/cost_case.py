"""From an inventory to the question about money: its load, the API, and the machine bought or rented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from assumptions.formulas.case import Case
from assumptions.formulas.machines import Own, Rent
from assumptions.formulas.money import BadAssumption, best
from assumptions.formulas.shapes import UnsupportedConfig
from flows.cost_capacity import capacity
from flows.cost_inputs import Inputs
from flows.cost_load import Asked, api_prices, load
from flows.cost_machines import own, rent
from inventories.costs import cost, machine_of
from inventories.errors import BadInput
from inventories.machines import Machine, machine
from inventories.money import Amount, Money
from inventories.money import Load as DeclaredLoad
from inventories.schema import Inventory


@dataclass(frozen=True, slots=True)
class Built:
    """The case, its inputs in the order they were taken, each way's machine, and what each way lacks."""

    case: Case
    inputs: Inputs
    machines: dict[str, Machine | None]
    lacking: dict[str, str]


def build(inventory: Inventory, asked: Asked) -> Built:
    """The case of this inventory; BadInput names the figure that can't be true."""
    money = inventory.money or Money(load=DeclaredLoad(usd_per_month=_default("usd-per-month")))
    with said_clearly(inventory):
        return _built(inventory, money, asked)


@contextmanager
def said_clearly(inventory: Inventory) -> Iterator[None]:
    """What the formulas refuse becomes one BadInput."""
    try:
        yield
    except (BadAssumption, UnsupportedConfig, OverflowError) as wrong:
        where = f"inventory {inventory.name}: money, or the command line"
        raise BadInput(str(wrong), where=where, fix="mend that figure") from None


def _default(id: str) -> Amount:
    found = cost(id)
    return Amount.model_validate(found.model_dump(include={"low", "mid", "high", "source", "as_of", "basis"}))


def _built(inventory: Inventory, money: Money, asked: Asked) -> Built:
    inputs = Inputs(inventory.name)
    api = api_prices(money.api, inputs)
    asked_for = load(money.load, api, asked, inputs)
    rate = inputs.or_default("discount_rate_per_year", money.discount_rate_per_year, "discount-rate-per-year")
    horizon = _horizon(money, inputs)
    rates = capacity(money.capacity, asked.tokens_per_second, inputs)
    bought = machine_of(inventory)
    rented = machine(money.rent.machine) if money.rent.machine else bought
    ways: dict[str, Own | Rent | str] = {
        "own": own(money.own, bought, rates, inputs),
        "rent": rent(money.rent, rented, rates, inputs),
    }
    return Built(
        case=Case(
            api=api,
            load=asked_for,
            discount_rate_per_year=rate,
            horizon_months=horizon,
            own=ways["own"] if isinstance(ways["own"], Own) else None,
            rent=ways["rent"] if isinstance(ways["rent"], Rent) else None,
        ),
        inputs=inputs,
        machines={"own": bought, "rent": rented},
        lacking={way: found for way, found in ways.items() if isinstance(found, str)},
    )


def _horizon(money: Money, inputs: Inputs) -> int:
    if money.horizon_months is None:
        return round(best(inputs.or_default("horizon_months", None, "horizon-months")))
    said: tuple[str, str, date | None] = ("assumed", f"declared in inventory {inputs.inventory}", None)
    return round(best(inputs.add("horizon_months", float(money.horizon_months), "months", *said)))
