"""What a plan shows beside its verdict: whether it fits, what would, the launch flags and the cost.  Nothing is judged.

Every figure carries its basis, so that nobody takes a modelled one for a measured one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from assumptions._pictures.cash_lines import Crossing, Row
from assumptions._pictures.fit_map import Cell
from assumptions._pictures.tornado import Swing

MARKS: Final = {
    "measured here": "h",
    "measured elsewhere": "e",
    "modelled": "m",
    "vendor's word": "v",
    "assumed": "a",
    "declared": "d",
    "computed from config.json": "c",
    "read from the files' headers": "r",
}
NO_GPU: Final = "no GPU"
Block = Literal["declared", "proven", "on paper"]
BLOCKS: Final[Mapping[str, str]] = {
    "declared": "On the hosts already declared",
    "proven": "Proven: the memory model says it fits, and public measurements stand behind it",
    "on paper": "On paper only: no measured run stands behind it",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it is printed, with its unit; `basis` is one of MARKS, and `source` says where it was found."""

    text: str
    basis: str = ""
    source: str = ""

    @property
    def mark(self) -> str:
        """The letter of the basis; an unknown basis is spelled out, and none is a question mark."""
        return MARKS.get(self.basis, self.basis or "?")


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way that would serve it; `block` says how far it is proven, `flags` what is set and why, a line each."""

    block: Block
    title: str
    split: str
    verdict: str
    price: Figure
    margin: Figure
    unproven: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaunchFlag:
    """Words of the engine's command line, and the reason for them."""

    words: str
    why: str


@dataclass(frozen=True, slots=True)
class CostLine:
    """One figure of the money over its cases, with one basis for all three."""

    name: str
    low: Figure
    base: Figure
    high: Figure


@dataclass(frozen=True, slots=True)
class CostView:
    """The money.  `not_established` says what must be measured before a break-even can be told."""

    ways: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    crossings: tuple[Crossing, ...] = ()
    swings: tuple[Swing, ...] = ()
    swings_of: str = "NPV against the API"
    lines: tuple[CostLine, ...] = ()
    inputs: tuple[tuple[str, Figure], ...] = ()
    not_established: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanView:
    """Everything of one plan.  `fit` is the object that `beachhead fit --json` prints."""

    fit: Mapping[str, Any]
    gpu_title: str
    gpu_memory_gib: float | None
    gpu_count: int | None = None
    gpu_memory_basis: str = "measured elsewhere"
    context_tokens: int | None = None
    concurrent_requests: int | None = None
    fit_map: tuple[Cell, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    none_because: str = ""
    launch_flags: tuple[LaunchFlag, ...] = ()
    cost: CostView | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_gpu(self) -> bool:
        """Whether there is a card whose memory could be drawn."""
        return self.gpu_title != NO_GPU
