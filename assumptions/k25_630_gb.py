"""Claim: Kimi K2.5 in INT4 takes about 630 GB.  The files are smaller, and the memory to serve them is more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._configuration import ENGINE
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._paper import ROUNDED, STRATEGY_MODEL, figure, finding, half_step
from assumptions._parts import check
from assumptions._strategy import GUIDE
from assumptions.formulas.memory import GIB, UnsupportedConfig, fit
from inventories.figures import gpu, model
from inventories.schema import Inventory
from tasks.site import Site

SAID_FILES_GB = SAID_MEMORY_GB = 630.0  # Current Kimi K2.5 Technical Specifications, "Memory Requirements: ~630GB"
CARD, CARDS = "a100-80gb", 8  # the strategy's own cards, in the same place
CONTEXT_TOKENS = 262_144  # "256K tokens"
FLOOR = "vllm-project/recipes@8959cf6 models/moonshotai/Kimi-K2.5.yaml sets the floor at 714 GB of GPU memory for INT4"


@dataclass(frozen=True, slots=True)
class Need:
    """What is said of files and of memory (the strategy says one figure), the files, and the cards to hold it."""

    said_files_gb: float
    said_memory_gb: float
    checkpoint_bytes: float
    config: Mapping[str, Any]
    cards: int
    gpu_memory_gib: float
    compute_capability: float | None
    context_tokens: int
    source: str


def observe(site: Site, stage: Stage) -> Need:
    """The catalog's Kimi K2.5 and A100; no host is asked."""
    known, card = model(STRATEGY_MODEL), gpu(CARD)
    size, capability = known.checkpoint_bytes, card.compute_capability.value if card.compute_capability else None
    return Need(
        SAID_FILES_GB,
        SAID_MEMORY_GB,
        size.value,
        known.read_config(),
        CARDS,
        card.memory_gib.value,
        capability,
        CONTEXT_TOKENS,
        size.source,
    )


def memory_gb(seen: Need) -> tuple[float, float]:
    """On all cards together for one request of the whole context, its KV cache shared: over the overhead's range."""
    found = fit(
        seen.config,
        gpu_memory_gib=seen.gpu_memory_gib,
        gpus=seen.cards,
        tp=seen.cards,
        dcp=seen.cards,
        utilization=1.0,
        context_tokens=seen.context_tokens,
        vllm=ENGINE,
        compute_capability=seen.compute_capability,
        mm_encoder="data" if seen.config.get("vision_config") else "none",
    )
    weights, overhead, each = found.weights_gib_per_gpu, found.overhead_gib, found.kv_bytes_per_token_per_rank
    if weights is None or overhead is None or each is None:
        raise UnsupportedConfig("; ".join(found.reasons))
    kv = each * seen.context_tokens / GIB
    low, high = ((weights + kv + end) * seen.cards * GIB / 1e9 for end in (overhead.low, overhead.high))
    return low, high


def _memory(seen: Need) -> Part:
    said = seen.said_memory_gb
    try:
        low, high = memory_gb(seen)
    except UnsupportedConfig as refusal:
        return check("memory", None, f"the memory model has no answer: {refusal}", expected=f"{said:g} GB")
    enough = said + half_step(said)
    why = f"{seen.cards} cards need {low:,.0f} to {high:,.0f} GB for one request of {seen.context_tokens:,} tokens"
    holds = False if enough < low else True if said >= high else None
    return check("memory", holds, why, expected=f"<= {said:g} GB", measured=f"{low:,.0f} to {high:,.0f} GB")


def judge(seen: Need, _inventory: Inventory) -> Finding:
    """The one figure read as the files' size, and as the memory that serving takes; both must hold."""
    size = seen.checkpoint_bytes / 1e9
    why = f"the published files are {size:,.1f} GB ({size / seen.said_files_gb - 1:+.1%})"
    parts = (figure("files", size, seen.said_files_gb, "GB", why), _memory(seen))
    return finding(
        parts,
        good="; ".join(part.because for part in parts),
        expected=f"{seen.said_files_gb:g} GB of files, {seen.said_memory_gb:g} GB of memory",
        measured=f"{size:,.1f} GB of files, {parts[1].measured or 'memory not known'}",
        source=f"{GUIDE}, Current Kimi K2.5 Technical Specifications; {ROUNDED}; memory model",
        value=round(size, 1),
        unit="GB of files",
        notes=(
            FLOOR,
            f"files: {seen.source}",
            "630 GB is unsloth.ai's figure for the whole model as GGUF",
        ),
    )


ASSUMPTION = Assumption(
    id="k25-630-gb",
    guide=f"{GUIDE}, Current Kimi K2.5 Technical Specifications",
    states="Kimi K2.5 in INT4 takes about 630 GB.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Plan 595 GB of disk, and GPU memory by beachhead fit: 700 GB and more for the whole context.",
    version=1,
    observe=observe,
    judge=judge,
)
