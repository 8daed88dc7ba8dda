"""Every input of a cost case with where it comes from: the inventory, the catalog, or the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from assumptions.formulas.money import Quantity, best, lower, upper
from assumptions.formulas.shapes import Range
from inventories.costs import Cost, cost
from inventories.figures import Figure
from inventories.machines import Span
from inventories.money import Amount


@dataclass(frozen=True, slots=True)
class Input:
    """One input as it was used.  `name` is the formulas' own, `basis` one of the provenance marks."""

    name: str
    low: float
    mid: float
    high: float
    unit: str
    basis: str
    source: str
    as_of: str


@dataclass(slots=True)
class Inputs:
    """Collects each input as it is taken, so that none can be used without being shown."""

    inventory: str
    rows: list[Input] = field(default_factory=list)

    def take(self, name: str, given: Amount | None, default: Span | None, unit: str) -> Quantity:
        """The inventory's figure, or else the catalog's; a figure that neither has counts as nothing, assumed."""
        if given is not None:
            source = given.source or f"declared in inventory {self.inventory}"
            return self.add(name, _quantity(given), unit, given.basis, source, given.as_of)
        if default is None:
            return self.add(name, 0.0, unit, "assumed", "nothing declared", None)
        return self.add(name, _quantity(default), unit, default.basis, default.source, default.as_of)

    def or_default(self, name: str, given: Amount | None, id: str) -> Quantity:
        """The inventory's figure, or else the entry of catalog/costs.yaml."""
        default: Cost = cost(id)
        return self.take(name, given, default, default.unit)

    def figure(self, name: str, found: Figure) -> float:
        """A figure of the catalog."""
        self.add(name, found.value, found.unit, found.basis, found.source, found.as_of)
        return found.value

    def add(self, name: str, value: Quantity, unit: str, basis: str, source: str, as_of: date | None) -> Quantity:
        """Note one input, and give it back."""
        day = as_of.isoformat() if as_of else ""
        self.rows.append(Input(name, lower(value), best(value), upper(value), unit, basis, source, day))
        return value

    def derived(self, name: str, value: Quantity, unit: str, how: str) -> Quantity:
        """An input that was computed from others."""
        return self.add(name, value, unit, "modelled", how, None)


def _quantity(given: Amount | Span) -> Quantity:
    return given.mid if given.low == given.high else Range(given.low, given.mid, given.high)


def times(value: Quantity, factor: Quantity) -> Quantity:
    """The product, end by end; both are taken to be positive."""
    low, mid, high = lower(value) * lower(factor), best(value) * best(factor), upper(value) * upper(factor)
    return mid if low == high else Range(low, mid, high)
