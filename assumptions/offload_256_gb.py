"""Claim: experts that don't fit lie in 256 GB of RAM.  Byte for byte, and whether a run of it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Sense, Severity, Stage
from assumptions._paper import GUIDE, GUIDE_MODEL, finding
from assumptions._parts import check
from assumptions._strategy import of_a_purchase
from assumptions.formulas.memory import GIB, UnsupportedConfig, read, weights_gib_per_gpu
from inventories.figures import gpu, model
from tasks.site import Site

CARD, CARDS, RAM_GB = "a100-80gb", 4, 256.0  # K2 Thinking guide §2.1, Revised Recommendation, 3
UTILIZATION = 0.95  # §4.2
OFFLOADING = (
    "vLLM's --cpu-offload-gb counts GiB for each GPU; the parameters lie in pinned RAM and the GPU reads them over "
    "PCIe in every forward pass, so RAM must hold them all (docs.vllm.ai/en/v0.30.0, model_executor/offloader/uva)"
)


@dataclass(frozen=True, slots=True)
class Offload:
    """The model, the cards, the host's RAM, and a public run of it if one is known."""

    config: Mapping[str, Any]
    cards: int
    gpu_memory_gib: float
    utilization: float
    ram_gb: float
    run: str
    source: str


def observe(site: Site, stage: Stage) -> Offload:
    """The catalog's model and card with the guide's RAM; no public run was found (none is in vLLM's issues)."""
    known, card = model(GUIDE_MODEL), gpu(CARD)
    source = f"{known.title}: {known.checkpoint_bytes.source}"
    return Offload(known.read_config(), CARDS, card.memory_gib.value, UTILIZATION, RAM_GB, "", source)


def needed_gb(seen: Offload) -> float:
    """What must lie in RAM when nothing on the cards is spent on KV cache or overhead: the least possible."""
    weights = weights_gib_per_gpu(read(seen.config), tp=seen.cards)
    return max(0.0, weights - seen.gpu_memory_gib * seen.utilization) * seen.cards * GIB / 1e9


@of_a_purchase
def judge(seen: Offload, _inventory: object) -> Finding:
    """The least that must be offloaded against all of the RAM; then whether anybody has run it."""
    try:
        least = needed_gb(seen)
    except UnsupportedConfig as refusal:
        unknown = check("bytes", None, f"not answered: {refusal}")
        return finding((unknown,), good="", expected="a known architecture", measured="unsupported", source=seen.source)
    why = (
        f"{least:,.0f} GB don't fit on the {seen.cards} cards, before any KV cache or overhead; RAM is {seen.ram_gb:g}"
    )
    ran = seen.run or "no public run of this model with weights offloaded by vLLM is known"
    parts = (
        check("bytes", least < seen.ram_gb, why, expected=f"< {seen.ram_gb:g} GB", measured=f"{least:,.1f} GB"),
        check("run", True if seen.run else None, ran, expected="a measured run", measured=seen.run or "none"),
    )
    return finding(
        parts,
        good=f"{why}; {ran}",
        expected=f"what is offloaded fits in {seen.ram_gb:g} GB beside the system",
        measured=f"{least:,.0f} GB at the least",
        threshold=f"< {seen.ram_gb:g} GB",
        source=f"{GUIDE} §2.1: cards, RAM, utilisation; arithmetic on the checkpoint's own tensors",
        value=round(least, 1),
        unit="GB in RAM",
        limit=seen.ram_gb,
        sense=Sense.MOST,
        notes=(OFFLOADING, seen.source),
    )


ASSUMPTION = Assumption(
    id="offload-256-gb",
    guide=f"{GUIDE} §2.1, Revised Recommendation",
    states="What does not fit on 4x A100 80 GB lies in 256 GB of RAM.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Plan for cards that hold all weights; for experts in RAM take KTransformers and 650 GB, and measure it.",
    version=1,
    observe=observe,
    judge=judge,
)
