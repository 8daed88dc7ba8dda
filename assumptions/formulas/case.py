"""One question about money: the load, the API it could go to, and the machines that could take it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

from assumptions.formulas.machines import Machine, Own, Rent
from assumptions.formulas.money import BadAssumption, Quantity, check, whole
from assumptions.formulas.shapes import Range
from assumptions.formulas.tokens import ApiPrices, Load

LONGEST_MONTHS = 600
Way = Literal["own", "rent"]


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the answer rests on; a Range stands for a figure known only between two ends."""

    api: ApiPrices
    load: Load
    discount_rate_per_year: Quantity
    horizon_months: int
    own: Own | None = None
    rent: Rent | None = None

    def __post_init__(self) -> None:
        check(self, {"discount_rate_per_year": (0.0, 10.0)})
        whole("horizon_months", self.horizon_months, least=1, most=LONGEST_MONTHS)
        parts = ((self.api, ApiPrices), (self.load, Load), (self.own, Own | None), (self.rent, Rent | None))
        for value, kind in parts:
            if not isinstance(value, kind):
                raise BadAssumption(f"a case holds ApiPrices, Load, Own and Rent, not {type(value).__name__}")

    def machine(self, way: Way) -> Machine:
        """The machine of that way; BadAssumption where the case has none."""
        found = self.own if way == "own" else self.rent if way == "rent" else None
        if found is None:
            raise BadAssumption(f"the case has no machine to {way}")
        return found

    def only(self, way: Way | None) -> Case:
        """The same case without the machines of the other ways."""
        return replace(self, own=self.own if way == "own" else None, rent=self.rent if way == "rent" else None)


def ranges(part: Any, under: str = "") -> dict[str, Range]:
    """Every input of `part` that is a Range, by its dotted name, such as `own.hardware_usd`."""
    found: dict[str, Range] = {}
    for field in fields(part):
        value, name = getattr(part, field.name), under + field.name
        if isinstance(value, Range):
            found[name] = value
        elif is_dataclass(value):
            found |= ranges(value, name + ".")
    return found


def pinned(case: Case, values: Mapping[str, float]) -> Case:
    """The case with each named input set to one value."""
    found: Case = _pinned(case, dict(values))
    return found


def _pinned(part: Any, values: dict[str, float]) -> Any:
    own = {name: value for name, value in values.items() if "." not in name}
    below: dict[str, dict[str, float]] = {}
    for name, value in values.items():
        if "." in name:
            first, rest = name.split(".", 1)
            below.setdefault(first, {})[rest] = value
    return replace(part, **own, **{name: _pinned(getattr(part, name), inner) for name, inner in below.items()})
