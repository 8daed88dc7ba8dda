"""Does a model fit on these GPUs?  Weights, KV cache and overhead from config.json alone, as a verdict with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assumptions.formulas.architecture import Architecture, read
from assumptions.formulas.assessment import FP8_MLA_NEEDS, assess
from assumptions.formulas.draft import Draft, draft_of
from assumptions.formulas.headers import differences, stored_in
from assumptions.formulas.kv import kv_bytes_per_token_per_rank, kv_tokens
from assumptions.formulas.overhead import default_utilization, overhead_gib
from assumptions.formulas.question import Question
from assumptions.formulas.shapes import GIB, Range, UnsupportedConfig
from assumptions.formulas.stored import Stored
from assumptions.formulas.verdict import BudgetRow, Fit
from assumptions.formulas.weights import checkpoint_bytes, weights_gib_per_gpu

__all__ = [
    "FP8_MLA_NEEDS",
    "GIB",
    "Architecture",
    "BudgetRow",
    "Draft",
    "Fit",
    "Range",
    "Stored",
    "UnsupportedConfig",
    "checkpoint_bytes",
    "default_utilization",
    "differences",
    "draft_of",
    "fit",
    "kv_bytes_per_token_per_rank",
    "kv_tokens",
    "overhead_gib",
    "read",
    "stored_in",
    "weights_gib_per_gpu",
]


def fit(
    config: Mapping[str, Any] | Architecture,
    *,
    gpu_memory_gib: float,
    gpus: int,
    tp: int,
    pp: int = 1,
    dp: int = 1,
    ep: bool = False,
    dcp: int = 1,
    utilization: float | None = None,
    context_tokens: int,
    concurrent_requests: int = 1,
    kv_dtype: str = "auto",
    weight_quant: str | None = None,
    vllm: str,
    compute_capability: float | None = None,
    mm_encoder: str = "none",
    cpu_offload_gib: float = 0.0,
    max_num_seqs: int | None = None,
    max_num_batched_tokens: int | None = None,
    hosts: int = 1,
    overhead_gib: float | None = None,
    disk_gib_per_s: float | None = None,
    checkpoint_gib: float | None = None,
    stored: Stored | None = None,
    draft: Draft | None = None,
) -> Fit:
    """Whether `config` serves `concurrent_requests` of `context_tokens` each; bad arguments raise UnsupportedConfig.

    `gpu_memory_gib` is what CUDA reports (H100-80: 79.18, H200: 139.80).  `overhead_gib` is one that was measured on
    this very set-up; `stored` (from file headers) replaces the config's arithmetic of bytes, and
    `checkpoint_gib` that of the files' size.  A further question on
    one Architecture and split takes a tenth of a millisecond.  A model these formulas can't be right about gives the
    verdict `unsupported` with the reason, not an error.
    """
    ask = Question(
        gpu_memory_gib=gpu_memory_gib,
        gpus=gpus,
        tp=tp,
        pp=pp,
        dp=dp,
        ep=ep,
        dcp=dcp,
        utilization=default_utilization(vllm) if utilization is None else utilization,
        context_tokens=context_tokens,
        concurrent_requests=concurrent_requests,
        kv_dtype=kv_dtype,
        weight_quant=weight_quant,
        vllm=vllm,
        compute_capability=compute_capability,
        mm_encoder=mm_encoder,
        cpu_offload_gib=cpu_offload_gib,
        max_num_seqs=max_num_seqs,
        max_num_batched_tokens=max_num_batched_tokens,
        hosts=hosts,
        overhead_gib=overhead_gib,
        disk_gib_per_s=disk_gib_per_s,
        checkpoint_gib=checkpoint_gib,
        stored=stored,
        draft=draft,
    )
    try:
        return assess(config if isinstance(config, Architecture) else read(config), ask)
    except UnsupportedConfig as refusal:
        return Fit("unsupported", ask.budget_gib, reasons=(f"Not answered: {refusal}.",))
