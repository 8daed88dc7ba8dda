"""Claim: the Mac Studio makes 2 to 5 tokens a second.  The memory's bandwidth sets the ceiling; nobody measured it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._paper import finding
from assumptions._parts import check
from assumptions._strategy import GUIDE, MAC_ID, MAC_TOKENS_PER_SECOND, of_a_purchase
from assumptions.formulas.active import active_bytes, active_params
from assumptions.formulas.ceiling import bandwidth_tokens_per_second
from assumptions.formulas.memory import UnsupportedConfig, read
from inventories.costs import machine_of
from inventories.figures import model
from inventories.schema import Inventory
from tasks.site import Site

FILE = "kimi-k2.5-ud-q2-k-xl"
BYTES_PER_SECOND = 819e9  # M3 Ultra, as Apple's announcement of March 2025 gives it (techpowerup.com)
NEAREST = (
    "nearest runs on such a machine, measured elsewhere: 21.4 tokens a second for Kimi K2.6 in MLX at 3.3 bits "
    "(spicyneuron's model card), 17 to 18 for DeepSeek R1 at 4 bits (wccftech.com); short prompts, another engine"
)


@dataclass(frozen=True, slots=True)
class Speed:
    """What is said, the bandwidth, the file, and the output rate measured with it; None where nobody did."""

    said: tuple[float, float]
    bytes_per_second: float
    file_bytes: float
    params: float
    config: Mapping[str, Any]
    measured: float | None
    source: str


def observe(site: Site, stage: Stage) -> Speed:
    """The catalog's file; the inventory's measured output rate where it declares one for this machine and file."""
    known = model(FILE)
    size, count = known.checkpoint_bytes, known.params.value
    found = _measured(site.inventory)
    return Speed(MAC_TOKENS_PER_SECOND, BYTES_PER_SECOND, size.value, count, known.read_config(), found, size.source)


def _measured(inventory: Inventory) -> float | None:
    capacity, machine = inventory.money.capacity if inventory.money else None, machine_of(inventory)
    if capacity is None or machine is None or machine.id != MAC_ID or inventory.model.catalog != FILE:
        return None
    rate = capacity.output_tokens_per_second
    return rate.mid if rate else None


def ceiling(seen: Speed) -> tuple[float, float]:
    """Tokens a second at full bandwidth: the active weights as INT4 publishes them, or all at the file's mean width."""
    arch = read(seen.config)
    mean = active_params(arch) * seen.file_bytes / seen.params
    ends = [bandwidth_tokens_per_second(seen.bytes_per_second, each) for each in (active_bytes(arch), mean)]
    return min(ends), max(ends)


def _part(seen: Speed) -> Part:
    slow, fast = seen.said
    expected = f">= {slow:g} tokens/s"
    if seen.measured is not None:
        why = f"{seen.measured:g} tokens a second were measured, {slow:g} to {fast:g} said"
        return check("speed", seen.measured >= slow, why, expected=expected, measured=f"{seen.measured:g} tokens/s")
    try:
        low, high = ceiling(seen)
    except UnsupportedConfig as refusal:
        return check("speed", None, f"what a token reads is not known: {refusal}", expected=expected)
    why = f"bandwidth allows {low:.0f} to {high:.0f} tokens a second at the most; nobody measured this file"
    return check("speed", None if high >= slow else False, why, expected=expected, measured=f"<= {high:.0f} tokens/s")


@of_a_purchase
def judge(seen: Speed, _inventory: object) -> Finding:
    """A measured rate against the lower figure; without one, only a ceiling below it can decide."""
    part, measured = _part(seen), seen.measured is not None
    return finding(
        (part,),
        good=part.because,
        expected=f"{seen.said[0]:g} to {seen.said[1]:g} tokens/s for one request",
        measured=part.measured or "not known",
        threshold=f"{part.expected}; more than was said holds too",
        source=f"{GUIDE}, Hardware Options, Option 1; memory bandwidth over the bytes that a token reads",
        value=seen.measured,
        unit="tokens/s" if measured else "",
        limit=seen.said[0] if measured else None,
        notes=(NEAREST, seen.source, "a prompt's length is not in the sentence: long ones wait for minutes first"),
    )


ASSUMPTION = Assumption(
    id="mac-2-5-tokens-s",
    guide=f"{GUIDE}, Hardware Options, Option 1",
    states="A Mac Studio M3 Ultra answers with Kimi K2.5 at 2 to 5 tokens a second.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Borrow one for a day, run llama-bench on this file with your own prompts, and declare money.capacity.",
    version=1,
    observe=observe,
    judge=judge,
)
