"""Claim: 8x B200 serves Kimi K2.5 in native FP16.  FP16 does not fit, and the model is not published in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Outcome, Part, Severity, Stage
from assumptions._parts import check
from assumptions._strategy import API_MODEL, GUIDE, finding, of_a_purchase
from assumptions.formulas.memory import UnsupportedConfig, fit
from inventories.figures import gpu, model
from tasks.site import Site

CARD, CARDS = "b200", 8  # Option 3, "8xB200 SXM configuration", "Native FP16 deployment"
BYTES_PER_PARAMETER = 2
GIB = 2**30
CONTEXT_TOKENS = 262_144  # "256K tokens", Current Kimi K2.5 Technical Specifications
ENGINE = "0.33.0"  # vLLM; the newest whose memory rules are known


@dataclass(frozen=True, slots=True)
class Fp16:
    """The model's size and config.json, and the cards."""

    params: float
    config: Mapping[str, Any]
    gpu_memory_gib: float
    compute_capability: float | None
    gpus: int
    sources: tuple[str, ...]


def observe(site: Site, stage: Stage) -> Fp16:
    """The catalog's Kimi K2.5 and B200; no host is asked."""
    card, checkpoint = gpu(CARD), model(API_MODEL)
    capability = card.compute_capability.value if card.compute_capability else None
    sources = (f"{checkpoint.title}: {checkpoint.params.source}", f"{card.title}: {card.memory_gib.source}")
    read = checkpoint.read_config()
    return Fp16(checkpoint.params.value, read, card.memory_gib.value, capability, CARDS, sources)


@of_a_purchase
def judge(seen: Fp16, _inventory: object) -> Finding:
    """Two bytes a parameter against all the cards' memory; then whether such a checkpoint was published."""
    weights, room = seen.params * BYTES_PER_PARAMETER, seen.gpus * seen.gpu_memory_gib * GIB
    parts = (_fits(seen, weights, room), _native(seen.config))
    return finding(
        parts,
        "the published checkpoint is FP16 or BF16 and fits",
        expected="FP16 weights and the context fit; the checkpoint is published in it",
        measured=f"{weights / 1e9:,.0f} GB of weights, {room / 1e9:,.0f} GB on {seen.gpus} cards",
        threshold=f"{room / 1e9:,.0f} GB, before any KV cache or overhead",
        value=round(weights / 1e9, 1),
        unit="GB of FP16 weights",
        notes=seen.sources,
    )


def _fits(seen: Fp16, weights: float, room: float) -> Part:
    each = f"{seen.gpus} x {seen.gpu_memory_gib:g} GiB"
    said = f"{seen.params / 1e12:.4g} T parameters x {BYTES_PER_PARAMETER} bytes = {weights / 1e9:,.0f} GB; {each} are "
    said += f"{room / 1e9:,.0f} GB"
    if weights > room:
        return check("fits", False, said, expected=f"<= {room / 1e9:,.0f} GB", measured=f"{weights / 1e9:,.0f} GB")
    verdict = _modelled(seen)
    holds = {"fits": True, "does-not-fit": False}.get(verdict)
    return check("fits", holds, f"{said}; memory model: {verdict}", expected="fits", measured=verdict)


def _modelled(seen: Fp16) -> str:
    """The memory model's verdict for the same model without its quantisation."""
    config = {key: value for key, value in seen.config.items() if key != "quantization_config"}
    if isinstance(config.get("text_config"), dict):
        config["text_config"] = {k: v for k, v in config["text_config"].items() if k != "quantization_config"}
    try:
        answer = fit(
            config,
            gpu_memory_gib=seen.gpu_memory_gib,
            gpus=seen.gpus,
            tp=seen.gpus,
            context_tokens=min(CONTEXT_TOKENS, int(config.get("max_position_embeddings") or CONTEXT_TOKENS)),
            vllm=ENGINE,
            compute_capability=seen.compute_capability,
            mm_encoder="data" if config.get("vision_config") else "none",
        )
    except UnsupportedConfig:
        return "unsupported"
    return str(answer.verdict)


def _native(config: Mapping[str, Any]) -> Part:
    text = config.get("text_config")
    inner = text.get("quantization_config") if isinstance(text, dict) else None
    found = config.get("quantization_config") or inner
    if not found:
        return Part("native", Outcome.PASS, "config.json names no quantisation", "no quantization_config", "none")
    groups = (found.get("config_groups") or {}).values() if isinstance(found, dict) else ()
    bits = {group["weights"]["num_bits"] for group in groups if group.get("weights")}
    what = f"INT{bits.pop()}" if len(bits) == 1 else str(found.get("quant_method", "quantised"))
    said = f"the checkpoint is published in {what}: there is no native FP16 to deploy"
    return check("native", False, said, expected="no quantization_config", measured=what)


ASSUMPTION = Assumption(
    id="b200-native-fp16",
    guide=f"{GUIDE}, Hardware Options, Option 3",
    states="8x B200 serves Kimi K2.5 in native FP16.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Plan for the published INT4 checkpoint; beachhead fit and beachhead plan say what B200s hold of it.",
    version=1,
    observe=observe,
    judge=judge,
)
