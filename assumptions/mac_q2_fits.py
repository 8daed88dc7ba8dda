"""Claim: the 2-bit Kimi K2.5 fits in a Mac Studio's 512 GB.  Weights and context against what the GPU may wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._paper import ROUNDED, figure, finding
from assumptions._parts import check
from assumptions._strategy import GUIDE, of_a_purchase
from assumptions.formulas.memory import GIB, UnsupportedConfig, kv_bytes_per_token_per_rank, read
from inventories.figures import gpu, model
from tasks.site import Site

FILE, CARD = "kimi-k2.5-ud-q2-k-xl", "m3-ultra"  # Hardware Options, Option 1
SAID_GB = 375.0  # "Q2_K_XL ~375GB"
CONTEXT_TOKENS = 262_144  # "256K tokens", Current Kimi K2.5 Technical Specifications
WIRED_SHARE = 0.75  # of memory, unless iogpu.wired_limit_mb is raised: catalog/gpus.yaml, m3-ultra (secondary sources)
NEAREST = (
    "nearest run: Kimi K2.6 in MLX at 3.6 bits peaked at 460.4 GB on such a machine (spicyneuron's model card; the "
    "context is not said); K2.5's growing KV cache crashed MLX there (ml-explore/mlx-lm issue 1047)"
)


@dataclass(frozen=True, slots=True)
class Unified:
    """The file, the memory that CPU and GPU share, and the peak that a run of it showed; None where there was none."""

    said_gb: float
    file_bytes: float
    config: Mapping[str, Any]
    memory_gib: float
    wired_share: float
    context_tokens: int
    peak_gb: float | None
    sources: tuple[str, ...]


def observe(site: Site, stage: Stage) -> Unified:
    """The catalog's file and machine; no host is asked, and no run of this file at this context was found."""
    known, card = model(FILE), gpu(CARD)
    sources = (f"{known.title}: {known.checkpoint_bytes.source}", f"{card.title}: {card.memory_gib.source}")
    size, memory = known.checkpoint_bytes.value, card.memory_gib.value
    return Unified(SAID_GB, size, known.read_config(), memory, WIRED_SHARE, CONTEXT_TOKENS, None, sources)


def _memory(seen: Unified) -> Part:
    """Certain only where it can't be: what is measured beside weights and KV cache, nobody has published."""
    whole = seen.memory_gib * GIB / 1e9
    wired = whole * seen.wired_share
    expected = f"<= {wired:,.0f} GB, {whole:,.0f} with the limit raised"
    if seen.peak_gb is not None:
        why = f"a run of it peaked at {seen.peak_gb:,.1f} of {whole:,.0f} GB"
        return check("memory", seen.peak_gb <= whole, why, expected=expected, measured=f"{seen.peak_gb:,.1f} GB")
    try:
        cache = kv_bytes_per_token_per_rank(read(seen.config), tp=1) * seen.context_tokens / 1e9
    except UnsupportedConfig as refusal:
        return check("memory", None, f"the KV cache's size is not known: {refusal}", expected=expected)
    needed = seen.file_bytes / 1e9 + cache
    why = f"{needed:,.0f} GB of weights and 16-bit KV cache of {seen.context_tokens:,} tokens; the GPU may wire "
    why += f"{wired:,.0f} of {whole:,.0f} GB; what llama.cpp takes beside them was not measured"
    return check("memory", None if needed <= whole else False, why, expected=expected, measured=f"{needed:,.0f} GB")


@of_a_purchase
def judge(seen: Unified, _inventory: object) -> Finding:
    """The file's size as printed; then its weights and context in the machine's memory, or a measured peak."""
    size = seen.file_bytes / 1e9
    parts = (figure("file", size, seen.said_gb, "GB", f"the file is {size:,.1f} GB"), _memory(seen))
    return finding(
        parts,
        good=f"{size:,.1f} GB, and {parts[1].because}",
        expected=f"{seen.said_gb:g} GB, which run in {seen.memory_gib:g} GiB",
        measured=f"{size:,.1f} GB; {parts[1].measured or 'memory not known'}",
        source=f"{GUIDE}, Hardware Options, Option 1; {ROUNDED}; macOS's share for the GPU",
        value=round(size, 1),
        unit="GB of weights",
        notes=(*seen.sources, NEAREST, "two bits lose quality against the published INT4: model-quality judges that"),
    )


ASSUMPTION = Assumption(
    id="mac-q2-fits",
    guide=f"{GUIDE}, Hardware Options, Option 1",
    states="Kimi K2.5 as Q2_K_XL, about 375 GB, runs in a Mac Studio with 512 GB.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Borrow one for a day: load the file at the whole context and read the peak; raise iogpu.wired_limit_mb.",
    version=1,
    observe=observe,
    judge=judge,
)
