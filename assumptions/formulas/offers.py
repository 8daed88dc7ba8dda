"""What a search chooses among: machines, checkpoints, what public logs show, and the option that comes out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from assumptions.formulas.memory import Architecture, Range
from assumptions.formulas.verdict import Verdict
from assumptions.formulas.weights import checkpoint_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Weights that could be served.  Where `arch` is None no memory model is known, and only the file's size speaks."""

    id: str
    title: str
    arch: Architecture | None
    file_bytes: int
    engine: str = "vllm"
    lossy: str = ""  # what the quantisation loses against the published weights, as its publisher says


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A start that a public log shows, and how many tokens of KV cache it had room for."""

    arch: Architecture
    tp: int
    pp: int
    dcp: int
    kv_dtype: str
    kv_tokens: int
    vllm: str | None  # None: the log does not say
    approximate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One machine, or a set of like ones, with its price where one is known.  GiB per GPU; USD."""

    id: str
    title: str
    gpu: str
    memory_gib: float
    compute_capability: float | None
    gpus: int
    hosts: int = 1
    engine: str = "vllm"
    ram_gib: float | None = None  # of all hosts together
    hardware_usd: Range | None = None
    price_basis: str = "no price found"
    rent_usd_per_gpu_hour: Range | None = None
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What is to be served, and by which vLLM."""

    context_tokens: int
    concurrent_requests: int
    vllm: str
    mm_encoder: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to serve it.  GiB per GPU; `proven` when a public log shows at least the KV tokens that it needs.

    `margin_gib` is room for KV less what the wanted requests need.  `kv_tokens` and `max_context_tokens` are of one
    deployment.  A figure is None where nothing can be said.
    """

    machine: str
    title: str
    gpu: str
    gpus: int
    model: str
    engine: str
    tp: int = 1
    pp: int = 1
    dcp: int = 1
    kv_dtype: str = "auto"
    utilization: float | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    cpu_offload_gib: float = 0.0
    context_tokens: int
    concurrent_requests: int
    verdict: Verdict
    proven: bool = False
    hardware_usd: Range | None = None
    price_basis: str = "no price found"
    rent_usd_per_month: Range | None = None
    margin_gib: Range | None = None
    kv_tokens: Range | None = None
    max_context_tokens: Range | None = None
    reasons: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


def same_text_model(one: Architecture, other: Architecture) -> bool:
    """Whether both have the same tensors but for a vision tower, so that a run of one shows the other's memory."""
    return _shape(one) == _shape(other) and _text_bytes(one) == _text_bytes(other)


def _shape(arch: Architecture) -> Architecture:
    return replace(arch, vision_params=0, quantization=None, name="")


@lru_cache(maxsize=64)
def _text_bytes(arch: Architecture) -> int:
    return checkpoint_bytes(replace(arch, vision_params=0))
