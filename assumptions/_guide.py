"""What the claims about the guide's own commands and files share: when they apply, and how parts become a finding."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import yaml

from assumptions._core import Finding, Outcome, Part, Provenance, Sense
from assumptions._parts import worst
from inventories.schema import Inventory

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LONGEST = 200  # characters of a finding's reason; the parts carry the rest


def applies(inventory: Inventory) -> bool:
    """The guide's commands are vLLM's; nothing is said of them for another engine."""
    return inventory.engine.kind == "vllm"


@cache
def parsed(text: str) -> Any:
    """A YAML text as data."""
    return yaml.load(text, Loader=LOADER)  # noqa: S506 -- a safe loader, the fast one where there is one


def commands(text: str) -> tuple[tuple[str, ...], ...]:
    """Each line of a shell text as words."""
    return tuple(tuple(shlex.split(line)) for line in text.splitlines() if line.strip())


def flags(words: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Each option with the values behind it: --a 1 --b -> (--a, 1), (--b,); what precedes the first is left out."""
    flag: list[str] = []
    for word in words:
        if word.startswith("--"):
            if flag:
                yield tuple(flag)
            flag = [word]
        elif flag:
            flag.append(word)
    if flag:
        yield tuple(flag)


def finding(
    parts: Iterable[Part], *, expected: str, source: str, provenance: Provenance, notes: tuple[str, ...] = ()
) -> Finding:
    """How many lines are right, and the names of the wrong ones; each one's right form stands in its part."""
    parts = tuple(parts)
    outcome = worst(parts)
    counts = {each: sum(part.outcome is each for part in parts) for each in Outcome}
    wrong, unknown, right = counts[Outcome.FAIL], counts[Outcome.UNKNOWN], counts[Outcome.PASS]
    said = f"{right} right, {wrong} wrong" + (f", {unknown} not known" if unknown else "")
    if outcome in (Outcome.FAIL, Outcome.UNKNOWN):
        said += ": " + "; ".join(part.name for part in parts if part.outcome is outcome)
    return Finding(
        outcome=outcome,
        because=said if len(said) <= LONGEST else said[: LONGEST - 1] + "…",
        expected=expected,
        measured=f"{wrong} of {len(parts)} lines wrong",
        threshold="0 wrong lines",
        threshold_source=source,
        provenance=provenance,
        value=float(wrong),
        unit="wrong lines",
        limit=0.0,
        sense=Sense.MOST,
        parts=parts,
        notes=notes,
    )


def unseen(because: str, source: str, provenance: Provenance) -> Finding:
    """UNKNOWN: there is nothing to check the lines against."""
    return Finding(Outcome.UNKNOWN, because, "something to check against", "nothing", "", source, provenance)


def not_applicable(inventory: Inventory) -> Finding:
    """The reason, with the engine's name."""
    return Finding(
        outcome=Outcome.NOT_APPLICABLE,
        because=f"the guide's commands are for vLLM; this inventory serves with {inventory.engine.kind}",
        expected="engine vllm",
        measured=inventory.engine.kind,
        threshold="",
        threshold_source="K2 Thinking guide §3.3",
        provenance=Provenance.VENDOR,
    )
