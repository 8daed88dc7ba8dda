"""Long texts with numbers hidden in them, the same at every run: many keys at several depths, asked for in groups.

The form is RULER's multi-key, multi-query retrieval (Hsieh et al., arXiv 2404.06654, section 3).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

DEPTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
SEED = 20_261_123


def _listed(text: str) -> list[str]:
    return [" ".join(each.split()) for each in text.split("|")]


_WHO = _listed(
    "The miller | A neighbour | The old captain | My aunt | The second clerk | A travelling player | The baker"
)
_DID = _listed(
    "counted | painted | carried home | forgot | measured | sold | borrowed | repaired | described | mislaid"
)
_WHAT = _listed("""the blue door | nine baskets of pears | a broken clock | the longest ladder | a map of the coast |
    two copper kettles | the garden wall | an unsigned letter | a crate of lamps | the last rope""")
_WHEN = _listed("""before the rain began | in the third week of March | while the others slept | without saying why |
    on the way to the market | as the bells rang | for the fourth time | after the harvest | when the ferry was late""")
_CITIES = _listed("""Oslo | Lima | Quito | Cairo | Accra | Dakar | Tunis | Rabat | Sofia | Minsk | Tirana | Zagreb |
    Vilnius | Riga | Tallinn | Warsaw | Prague | Vienna | Berne | Lisbon | Madrid | Dublin | Athens | Ankara | Baku |
    Tbilisi | Yerevan | Astana | Tashkent | Dushanbe | Kabul | Delhi | Dhaka | Colombo | Yangon | Bangkok | Hanoi |
    Manila | Jakarta | Seoul | Tokyo | Taipei | Apia | Suva | Bogota | Caracas | Asuncion | Havana | Nassau | Panama""")


@dataclass(frozen=True, slots=True)
class Needle:
    """A key, its number, and where between the beginning and the end it lies."""

    key: str
    value: str
    depth: float

    @property
    def sentence(self) -> str:
        """As it stands in the text."""
        return f"The special number of {self.key} is {self.value}."


def needles(each: int, depths: Sequence[float] = DEPTHS, seed: int = SEED) -> tuple[Needle, ...]:
    """`each` needles at each depth; no key and no number twice."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    keys = chance.sample(_CITIES, each * len(depths))
    values = chance.sample(range(1_000_000, 9_999_999), len(keys))
    return tuple(
        Needle(key, str(value), depths[number // each])
        for number, (key, value) in enumerate(zip(keys, values, strict=True))
    )


def haystack(characters: int, hidden: Sequence[Needle], seed: int = SEED) -> str:
    """About so many characters of sentences that say nothing, with the needles at their depths."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    lines: list[str] = []
    left = characters - sum(len(needle.sentence) + 1 for needle in hidden)
    while left > 0:
        line = " ".join(map(chance.choice, (_WHO, _DID, _WHAT, _WHEN))) + "."
        lines.append(line)
        left -= len(line) + 1
    for needle in sorted(hidden, key=lambda each: each.depth, reverse=True):
        lines.insert(round(needle.depth * len(lines)), needle.sentence)
    return "\n".join(lines)


def question(asked: Sequence[Needle]) -> str:
    """What comes behind the text."""
    names = ", ".join(needle.key for needle in asked)
    return (
        f"\n\nThe text above names the special numbers of some cities. Write those of: {names}. "
        "One a line, as CITY: NUMBER, and nothing else."
    )


def found(answer: str, asked: Sequence[Needle]) -> int:
    """How many of the asked numbers stand on the line of their key."""
    lines = answer.splitlines()
    return sum(any(needle.key in line and needle.value in line for line in lines) for needle in asked)
