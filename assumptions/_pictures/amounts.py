"""Figures on a picture: only finite ones are drawn, each with its unit, on scales with round steps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LARGEST = 1e15  # nothing that a picture shows is larger; what is, is not drawn
MINUS = "\N{MINUS SIGN}"


def finite(value: object) -> float | None:
    """The figure, or None for what can't be drawn: no number, infinite, not a number, absurdly large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= LARGEST else None


def span(value: Any) -> tuple[float, float, float] | None:
    """`low`, `mid` and `high` of a mapping, in order; None where one is missing."""
    if not hasattr(value, "get"):
        return None
    found = [finite(value.get(edge)) for edge in ("low", "mid", "high")]
    known = sorted(each for each in found if each is not None)
    return (known[0], known[1], known[2]) if len(known) == 3 else None


def gib(value: float) -> str:
    """GiB with two decimals, or none from 10,000 on: 139.87."""
    return signed(f"{abs(value):,.2f}" if abs(value) < 10_000 else f"{abs(value):,.0f}", value)


def between(low: float, high: float) -> str:
    """2.16 to 7.17, or one figure where both are the same."""
    return gib(low) if gib(low) == gib(high) else f"{gib(low)} to {gib(high)}"


def usd(value: float) -> str:
    """Dollars in the fewest characters that tell them apart: $820, $27,375, $1.26M."""
    size = abs(value)
    if size >= 999_500:
        digits, unit = (size / 1e6, "M") if size < 999.5e6 else (size / 1e9, "B")
        shown = f"${digits:,.2f}".rstrip("0").rstrip(".") + unit if digits < 1000 else f"${digits:,.0f}{unit}"
    else:
        shown = f"${size:,.0f}" if size >= 100 or size == int(size) else f"${size:.2f}"
    return signed(shown, value)


def signed(shown: str, value: float) -> str:
    """The text with a true minus sign when the figure is below zero and not shown as zero."""
    return MINUS + shown if value < 0 and any(c in "123456789" for c in shown) else shown


def tokens(value: float) -> str:
    """A context length as people write it: 4K, 256K, 1M; 3,000 stays 3,000."""
    count = round(value)
    for size, unit in ((1 << 20, "M"), (1 << 10, "K")):
        if count >= size and count % size == 0:
            return f"{count // size:,}{unit}"
    return f"{count:,}"


@dataclass(frozen=True, slots=True)
class Scale:
    """Figures onto a line: `low` lies at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a figure lies; beyond the ends it is held at them."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low or 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self, about: int = 7) -> list[float]:
        """Round figures between the ends, about so many."""
        rough = (self.high - self.low) / about
        if rough <= 0:
            return [self.low]
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= rough * 0.999)
        return [n * step for n in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)]


def scale(values: Iterable[float], start: float, end: float, *, spare: float = 0.04) -> Scale:
    """A scale that holds every figure and zero, with a little room at the ends that are not zero."""
    known = [0.0, *values]
    low, high = min(known), max(known)
    if high - low < 1e-12:
        high = low + 1.0
    return Scale(low * (1 + spare) if low < 0 else 0.0, high + spare * (high - min(low, 0.0)), start, end)
