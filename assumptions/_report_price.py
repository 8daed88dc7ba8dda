"""What the declared machine costs: the inventory's own figures, else the catalog's for the machine with these cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inventories.costs import cost, machine_of
from inventories.machines import Span
from inventories.money import Amount
from inventories.schema import Inventory

LIFE = "life-years"


@dataclass(frozen=True, slots=True)
class Price:
    """USD, each as low, mid, high; None where no figure was found.  The rent is of all cards, for an hour."""

    machine: str
    hardware_usd: tuple[float, ...] | None = None
    hardware_source: str = ""
    rent_usd_per_hour: tuple[float, ...] | None = None
    rent_source: str = ""
    life_years: tuple[float, ...] = ()
    life_source: str = ""
    at_hand: bool = False  # every host can be reached: looking at it costs no money


def price_of(inventory: Inventory) -> Price | None:
    """None for a rehearsal, where nothing is bought."""
    if inventory.kind == "rehearsal":
        return None
    known, money = machine_of(inventory), inventory.money
    own, rent = (money.own, money.rent) if money else (None, None)
    bought = (own and own.hardware_usd) or (known and known.hardware_usd)
    hired = (rent and rent.usd_per_gpu_hour) or (known and known.rent_usd_per_gpu_hour)
    life = (own and own.life_years) or cost(LIFE)
    gpus = sum(host.gpus for host in inventory.hosts)
    return Price(
        machine=known.title if known else inventory.title,
        hardware_usd=_ends(bought) if bought else None,
        hardware_source=_told(bought) if bought else "",
        rent_usd_per_hour=_ends(hired, gpus) if hired and gpus else None,
        rent_source=_told(hired) if hired else "",
        life_years=_ends(life),
        life_source=_told(life),
        at_hand=all(host.ssh for host in inventory.hosts),
    )


def _ends(span: Span | Amount, times: float = 1) -> tuple[float, ...]:
    return (span.low * times, span.mid * times, span.high * times)


def _told(span: Span | Amount) -> str:
    """Basis, source and date in a line."""
    return ", ".join(filter(None, (span.basis, span.source, str(span.as_of or ""))))


def usd(ends: Sequence[float]) -> str:
    """A span in whole dollars, thousands from 10,000 on: $250k to $280k."""
    low, high = _dollars(ends[0]), _dollars(ends[-1])
    return low if low == high else f"{low} to {high}"


def _dollars(amount: float) -> str:
    if amount >= 10_000:
        return f"${amount / 1000:,.0f}k"
    return f"${amount:,.0f}" if amount >= 10 else f"${amount:,.2f}"
