"""What the claims share that say a set of cards holds a model: the memory model, at the document's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Finding, Part, Sense
from assumptions._paper import finding
from assumptions._parts import check
from assumptions.formulas.memory import Fit, UnsupportedConfig, fit
from inventories.figures import gpu, model

ENGINE = "0.33.0"  # vLLM; the newest whose memory rules are known
GUIDE_TOKENS, GUIDE_SHARE = 256_000, 0.95  # K2 Thinking guide §4.2: --max-model-len, --gpu-memory-utilization
SOURCE = "K2 Thinking guide §4.2, its own context and utilisation"
HOLDS = {"fits": True, "does-not-fit": False}  # tight and unsupported: nobody can say


@dataclass(frozen=True, slots=True)
class Configuration:
    """The model's config.json, the cards, and the context that one request needs at a share of each card's memory."""

    config: Mapping[str, Any]
    card: str
    cards: int
    gpu_memory_gib: float
    compute_capability: float | None
    context_tokens: int
    utilization: float
    asked_by: str
    sources: tuple[str, ...]


def configuration(
    model_id: str,
    card_id: str,
    cards: int,
    *,
    context_tokens: int = GUIDE_TOKENS,
    utilization: float = GUIDE_SHARE,
    asked_by: str = SOURCE,
) -> Configuration:
    """From the catalog alone; no host is asked."""
    known, card = model(model_id), gpu(card_id)
    capability = card.compute_capability.value if card.compute_capability else None
    sources = (f"{known.title}: {known.checkpoint_bytes.source}", f"{card.title}: {card.memory_gib.source}")
    memory, config = card.memory_gib.value, known.read_config()
    return Configuration(config, card.title, cards, memory, capability, context_tokens, utilization, asked_by, sources)


def judge(seen: Configuration, _inventory: object) -> Finding:
    """The memory model for the context on all cards; FAIL where no way of keeping the KV cache holds it."""
    try:
        ways = {"KV cache shared by all cards": _fit(seen, seen.cards), "KV cache copied to each": _fit(seen, 1)}
    except UnsupportedConfig as refusal:
        return _answer(seen, check("memory", None, f"not answered: {refusal}"), None, ())
    sure = next((name for name, found in ways.items() if HOLDS.get(found.verdict)), None)
    unsure = next((name for name, found in ways.items() if found.verdict not in HOLDS), None)
    told = sure or unsure or next(iter(ways))
    holds = True if sure else None if unsure else False
    part = check("memory", holds, _why(seen, told, ways[told]), measured=ways[told].verdict)
    notes = tuple(f"{name}: {found.verdict}; {'; '.join(found.reasons[1:])}" for name, found in ways.items())
    unmeasured = tuple(f"no measured run backs this: {each}" for each in ways[told].unmeasured)
    return _answer(seen, part, ways[told], (*notes, *unmeasured))


def _fit(seen: Configuration, dcp: int) -> Fit:
    return fit(
        seen.config,
        gpu_memory_gib=seen.gpu_memory_gib,
        gpus=seen.cards,
        tp=seen.cards,
        dcp=dcp,
        utilization=seen.utilization,
        context_tokens=seen.context_tokens,
        vllm=ENGINE,
        compute_capability=seen.compute_capability,
        mm_encoder="data" if seen.config.get("vision_config") else "none",
    )


def _why(seen: Configuration, way: str, found: Fit) -> str:
    """The weights where they alone are too large; else what is left for the context."""
    weights, overhead, tokens = found.weights_gib_per_gpu, found.overhead_gib, found.kv_tokens
    if weights is None or overhead is None or tokens is None:
        return "; ".join(found.reasons) or found.verdict
    if weights > found.budget_gib:
        return found.reasons[0]
    left = f"weights {weights:.2f} of {found.budget_gib:.2f} GiB a card, overhead {overhead.low:.1f} to "
    left += f"{overhead.high:.1f}: room for {tokens.low:,.0f} to {tokens.high:,.0f} of {seen.context_tokens:,} tokens"
    return f"{left}, {way}"


def _answer(seen: Configuration, part: Part, found: Fit | None, notes: tuple[str, ...]) -> Finding:
    weights, room = (found.weights_gib_per_gpu, found.kv_gib_per_gpu) if found else (None, None)
    measured = part.measured or "unsupported"
    if weights is not None and room is not None:
        measured = f"weights {weights:.2f} GiB a card, {room.low:.2f} to {room.high:.2f} GiB left for KV"
    budget = seen.gpu_memory_gib * seen.utilization
    return finding(
        (part,),
        good=part.because,
        expected=f"weights and {seen.context_tokens:,} tokens of KV cache on {seen.cards} x {seen.card}",
        measured=measured,
        threshold=f"{budget:.2f} GiB a card at utilisation {seen.utilization:g}, over the overhead's whole range",
        source=f"memory model, docs/reference/memory-model.md; {seen.asked_by}",
        value=None if weights is None else round(weights, 2),
        unit="" if weights is None else "GiB of weights a card",
        notes=(*notes, *seen.sources),
        limit=None if weights is None else round(budget, 2),
        sense=Sense.MOST,
    )
