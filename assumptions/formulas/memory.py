"""Does a model fit on these GPUs?  Weights, KV cache and overhead from config.json alone, as a verdict with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assumptions.formulas.architecture import Architecture, read
from assumptions.formulas.kv import kv_bytes_of_layers, kv_bytes_per_token_per_rank, kv_tokens
from assumptions.formulas.overhead import default_utilization, era_of, overhead_gib
from assumptions.formulas.question import Question
from assumptions.formulas.shapes import GIB, Range, UnsupportedConfig
from assumptions.formulas.weights import checkpoint_bytes, stage_bytes, stages, weights_gib_per_gpu

__all__ = [
    "Architecture",
    "Fit",
    "Range",
    "UnsupportedConfig",
    "checkpoint_bytes",
    "default_utilization",
    "fit",
    "kv_bytes_per_token_per_rank",
    "kv_tokens",
    "overhead_gib",
    "read",
    "weights_gib_per_gpu",
]
Verdict = Literal["fits", "tight", "does-not-fit", "unsupported"]
FP8_MLA_NEEDS = 8.9  # vLLM 0.33 v1/attention/backends/mla/triton_mla.py raises ValueError below SM89
ARITHMETIC = "weights and KV: the model's own config.json, tensor by tensor"


@dataclass(frozen=True, slots=True)
class Fit:
    """One answer.  GiB are per GPU of the tightest pipeline stage; tokens are per data-parallel replica.

    `kv_gib_per_gpu` is what is left for KV, below zero when something is missing.  `unmeasured` names what no
    measured run stands behind; while it holds anything the verdict is never `fits`.  All figures but the budget
    are None when the verdict is `unsupported`.
    """

    verdict: Verdict
    budget_gib: float
    weights_gib_per_gpu: float | None = None
    overhead_gib: Range | None = None
    kv_gib_per_gpu: Range | None = None
    kv_bytes_per_token_per_rank: int | None = None
    kv_tokens: Range | None = None
    max_context_tokens: Range | None = None
    reasons: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stage:
    """One pipeline stage's figures on each of its GPUs."""

    weights: float
    per_token: int
    room: Range
    tokens: Range


def fit(
    config: Mapping[str, Any],
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
) -> Fit:
    """Whether `config` serves `concurrent_requests` of `context_tokens` each; bad arguments raise UnsupportedConfig.

    `gpu_memory_gib` is what CUDA reports (H100-80: 79.18, H200: 139.80).  A model these formulas can't be right
    about gives the verdict `unsupported` with the reason, not an error.
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
    )
    try:
        return _assess(read(config), ask)
    except UnsupportedConfig as refusal:
        return Fit("unsupported", ask.budget_gib, reasons=(f"Not answered: {refusal}.",))


def _assess(arch: Architecture, ask: Question) -> Fit:
    _refuse_what_vllm_refuses(arch, ask)
    overhead = overhead_gib(
        ask.vllm,
        arch,
        tp=ask.tp,
        dp=ask.dp,
        gpu_memory_gib=ask.gpu_memory_gib,
        compute_capability=ask.compute_capability,
        context_tokens=ask.context_tokens,
        max_num_seqs=ask.max_num_seqs,
        max_num_batched_tokens=ask.max_num_batched_tokens,
    )
    all_stages = _stages(arch, ask, overhead)
    tightest = min(all_stages, key=lambda stage: stage.room.low / stage.per_token)
    tokens = Range(*(min(getattr(stage.tokens, edge) for stage in all_stages) for edge in ("low", "mid", "high")))
    verdict, judged = _judge(ask, tokens)
    return Fit(
        verdict=verdict,
        budget_gib=ask.budget_gib,
        weights_gib_per_gpu=tightest.weights,
        overhead_gib=overhead,
        kv_gib_per_gpu=tightest.room,
        kv_bytes_per_token_per_rank=tightest.per_token,
        kv_tokens=tokens,
        max_context_tokens=Range(
            *(min(arch.positions, edge // ask.per_replica) for edge in (tokens.low, tokens.mid, tokens.high))
        ),
        reasons=(_weights_sentence(ask, tightest), _room_sentence(ask, tightest, overhead), judged),
        unmeasured=ask.unmeasured,
        sources=(ARITHMETIC, f"overhead, vLLM {era_of(ask.vllm).name}: {era_of(ask.vllm).source}"),
    )


def _refuse_what_vllm_refuses(arch: Architecture, ask: Question) -> None:
    if ask.context_tokens > arch.positions:
        raise UnsupportedConfig(
            f"a context of {ask.context_tokens:,} tokens: the model has {arch.positions:,} positions"
        )
    fp8 = isinstance(ask.kv_dtype, str) and ask.kv_dtype.startswith("fp8")
    if arch.mla and fp8 and ask.compute_capability is not None and ask.compute_capability < FP8_MLA_NEEDS:
        raise UnsupportedConfig(
            f"kv_dtype {ask.kv_dtype} with latent attention on compute capability {ask.compute_capability}: vLLM's "
            f"only kernel there refuses FP8 KV below {FP8_MLA_NEEDS}; use bfloat16"
        )


def _stages(arch: Architecture, ask: Question, overhead: Range) -> tuple[_Stage, ...]:
    split = {"tp": ask.tp, "pp": ask.pp, "dp": ask.dp}
    sizes = stage_bytes(arch, **split, ep=ask.ep, mm_encoder=ask.mm_encoder, weight_quant=ask.weight_quant)
    budget = ask.budget_gib
    found = []
    for size, layers in zip(sizes, stages(arch, ask.pp), strict=True):
        weights = max(0.0, size / GIB - ask.cpu_offload_gib)
        room = Range(*(budget - weights - part for part in (overhead.high, overhead.mid, overhead.low)))
        per_token = kv_bytes_of_layers(arch, len(layers), tp=ask.tp, dcp=ask.dcp, kv_dtype=ask.kv_dtype)
        tokens = Range(*(kv_tokens(part * GIB, per_token, ask.block) for part in (room.low, room.mid, room.high)))
        found.append(_Stage(weights, per_token, room, tokens))
    return tuple(found)


def _judge(ask: Question, tokens: Range) -> tuple[Verdict, str]:
    need, unmeasured = ask.needed_tokens, ask.unmeasured
    held = f"{int(tokens.low):,} to {int(tokens.high):,} tokens of KV"
    wanted = f"{ask.per_replica} request(s) of {ask.context_tokens:,} tokens need {need:,}"
    if tokens.high < need:
        return "does-not-fit", f"{wanted}; even the low overhead leaves room for {int(tokens.high):,}."
    if tokens.low < need:
        return "tight", f"{wanted}; there is room for {held}, depending on the overhead."
    if unmeasured:
        return (
            "tight",
            f"{wanted}; on paper there is room for {held}, but no measured run has: {'; '.join(unmeasured)}.",
        )
    return "fits", f"{wanted}; there is room for {held}, even with the high overhead."


def _weights_sentence(ask: Question, stage: _Stage) -> str:
    weights, budget = round(stage.weights, 2), round(ask.budget_gib, 2)  # so that the sum printed is the sum shown
    text = (
        f"weights {weights:.2f} GiB on each of {ask.ranks} GPUs, "
        f"budget {budget:.2f} GiB = {ask.utilization:g} x {ask.gpu_memory_gib:g}: "
    )
    if weights > budget:
        return text + f"short by {weights - budget:.2f} GiB before any KV or overhead"
    return text + f"{budget - weights:.2f} GiB left for overhead and KV"


def _room_sentence(ask: Question, stage: _Stage, overhead: Range) -> str:
    return (
        f"overhead {overhead.low:.2f} to {overhead.high:.2f} GiB (vLLM {era_of(ask.vllm).name}) leaves "
        f"{stage.room.low:.2f} to {stage.room.high:.2f} GiB per GPU for KV at {stage.per_token:,} bytes per token"
    )
