"""What the claims about the strategy's tokens a second share: its other model, this one, ceilings, measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Finding, Part
from assumptions._paper import STRATEGY_MODEL, finding
from assumptions._parts import check
from assumptions._strategy import GUIDE, market
from assumptions.formulas.active import active_params
from assumptions.formulas.ceiling import arithmetic_tokens_per_second
from assumptions.formulas.memory import UnsupportedConfig, read
from inventories.figures import model
from inventories.schema import Inventory

OTHER_PARAMS = 70e9  # Hardware Options, "for 70B models"


@dataclass(frozen=True, slots=True)
class Peak:
    """Dense operations a second of all cards: in the fastest format they have, and in bf16, in which INT4 computes."""

    fastest: float
    fastest_format: str
    bf16: float
    source: str


@dataclass(frozen=True, slots=True)
class Rate:
    """What is said, the most that was published for the other model, and the mix's rate measured on this machine."""

    said: float
    machine: str
    other_params: float
    published: float | None
    published_source: str
    config: Mapping[str, Any]
    peak: Peak
    measured: float | None


def rate(
    inventory: Inventory, said: float, machine: str, peak: Peak, published: float | None, published_source: str
) -> Rate:
    """The catalog's Kimi K2.5; a measurement counts where the inventory declares one for this very machine."""
    measured = market(inventory).tokens_per_second.get(machine)
    config = model(STRATEGY_MODEL).read_config()
    return Rate(said, machine, OTHER_PARAMS, published, published_source, config, peak, measured)


def _other(seen: Rate) -> Part:
    most = arithmetic_tokens_per_second(seen.peak.fastest, seen.other_params)
    expected, size = f">= {seen.said:,.0f} tokens/s", f"{seen.other_params / 1e9:g}B"
    name = f"{size} models"
    if seen.published is not None and seen.published >= seen.said:
        why = f"{seen.published:,.0f} tokens a second were published for a {size} model"
        return check(name, True, why, expected=expected, measured=f"{seen.published:,.0f} tokens/s")
    why = f"the cards' {seen.peak.fastest_format} peak is {most:,.0f} tokens a second of a {size} model"
    if seen.published is not None:
        why += f"; {seen.published:,.0f} is the most that was found published"
    return check(name, False if most < seen.said else None, why, expected=expected, measured=f"<= {most:,.0f} tokens/s")


def _this(seen: Rate) -> Part:
    name, expected = "Kimi K2.5", f">= {seen.said:,.0f} tokens/s"
    if seen.measured is not None:
        why = f"{seen.measured:,.0f} tokens a second of the load's mix were measured on this machine"
        holds = seen.measured >= seen.said
        return check(name, holds, why, expected=expected, measured=f"{seen.measured:,.0f} tokens/s")
    try:
        most = arithmetic_tokens_per_second(seen.peak.bf16, active_params(read(seen.config)))
    except UnsupportedConfig as refusal:
        return check(name, None, f"what a token computes is not known: {refusal}", expected=expected)
    why = f"the figure is for other models; the cards' bf16 peak is {most:,.0f} tokens a second, measured is nothing"
    return check(name, False if most < seen.said else None, why, expected=expected, measured="not measured")


def judge(seen: Rate, _inventory: object) -> Finding:
    """The figure for the model that it names, and for the one that is to be served; a ceiling below it decides."""
    parts = (_other(seen), _this(seen))
    return finding(
        parts,
        good="; ".join(part.because for part in parts),
        expected=f"{seen.said:,.0f} tokens/s, of {seen.other_params / 1e9:g}B models and of Kimi K2.5",
        measured="; ".join(f"{part.name}: {part.measured or 'not known'}" for part in parts),
        threshold=f">= {seen.said:,.0f} tokens/s; FAIL where the cards' peak arithmetic is below it",
        source=f"{GUIDE}, Hardware Options; {seen.peak.source}",
        value=seen.measured,
        unit="tokens/s" if seen.measured is not None else "",
        limit=seen.said if seen.measured is not None else None,
        notes=(seen.published_source, "no length of prompt or answer and no number of users is in the sentence"),
    )
