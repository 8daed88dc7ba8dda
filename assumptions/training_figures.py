"""Claim: training cost $4.6M and took 15.5T tokens, both official.  Who said so, and of which model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._paper import GUIDE, close, finding
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.site import Site

COST_SOURCE = (
    "Moonshot's founders in their public question hour of 2025-11-10, as reported by 36Kr and Silicon Star "
    "(myzaker.com/article/6912a7a08e9f096b356aeae8): the figure is not official, and hard to quantify; it came from a "
    "CNBC report"
)
TOKENS_SOURCE = (
    "MoonshotAI/Kimi-K2@d778e27 README: 15.5T tokens for Kimi K2's base, of which K2 Thinking is post-trained"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One figure, whether its maker stands by it, and what the maker says instead; None where nothing was found."""

    name: str
    said: float
    unit: str
    official: bool | None
    official_value: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Training:
    """The guide's two figures."""

    statements: tuple[Statement, ...]


def observe(site: Site, stage: Stage) -> Training:
    """Published statements with their sources; no host is asked."""
    return Training(
        (
            Statement("cost", 4.6, "million USD", False, None, COST_SOURCE),  # §1.2 and §1.3, 5
            Statement("tokens", 15.5, "T tokens", True, 15.5, TOKENS_SOURCE),  # §1.2
        )
    )


def _parts(seen: Training) -> Iterator[Part]:
    for each in seen.statements:
        holds, told = each.official, "its maker publishes it"
        if each.official is None:
            told = "no word of its maker was found"
        elif not each.official:
            told = "its maker says that it is not official"
        elif each.official_value is not None and not close(each.official_value, each.said):
            holds, told = False, f"its maker publishes {each.official_value:g}"
        why = f"{each.said:g} {each.unit}: {told}"
        yield check(each.name, holds, why, expected=f"{each.said:g} {each.unit}, official", measured=told)


def judge(seen: Training, _inventory: Inventory) -> Finding:
    """Each figure against what its maker says of it; that it is true nobody outside can tell."""
    parts = tuple(_parts(seen))
    return finding(
        parts,
        good="both figures are the vendor's own word",
        expected="both figures published by Moonshot AI",
        measured="; ".join(f"{part.name}: {part.measured}" for part in parts),
        source=f"{GUIDE} §1.2; the vendor's statements",
        notes=tuple(f"{each.name}: {each.source}" for each in seen.statements),
        provenance=Provenance.VENDOR,
    )


ASSUMPTION = Assumption(
    id="training-figures",
    guide=f"{GUIDE} §1.2, §1.3",
    states="Training cost $4.6M and took 15.5T tokens, as Moonshot AI says.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Drop the cost: it is a press report that the vendor does not confirm, and no decision here rests on it.",
    version=1,
    observe=observe,
    judge=judge,
)
