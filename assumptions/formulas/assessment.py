"""One memory question answered: what each pipeline stage holds, what is left, and the verdict."""

from __future__ import annotations

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.budget import stage_rows
from assumptions.formulas.draft import draft_bytes
from assumptions.formulas.host import checkpoint_gib, host_ram_gib, load_seconds, pinned_gib, shm_gib
from assumptions.formulas.overhead import era_of, overhead_gib
from assumptions.formulas.padding import expert_growth
from assumptions.formulas.published import left_alone
from assumptions.formulas.question import Question
from assumptions.formulas.sentences import host_sentence, judged, load_sentence, room_sentence, weights_sentence
from assumptions.formulas.shapes import Range, UnsupportedConfig
from assumptions.formulas.stage import Stage, each_end, least, stage_of
from assumptions.formulas.verdict import BudgetRow, Fit
from assumptions.formulas.weights import Split, split_bytes, stages

FP8_MLA_NEEDS = 8.9  # vLLM 0.33 v1/attention/backends/mla/triton_mla.py raises ValueError below SM89
SPARSE_NEEDS = 9.0  # vLLM 0.33 v1/attention/backends/mla: every sparse backend wants major 9 or more
ARITHMETIC = "weights and KV: the model's own config.json, tensor by tensor"
HEADERS = "weights: the headers of the checkpoint's own files; KV: its config.json"
LEFT_ALONE = "which parts stay in bf16 unless the checkpoint declares it ({}): assumed, as published checkpoints do"
MEASURED = "overhead: measured on this set-up, as given"
# Rows m256 to m261 (Kimi K2.6, RTX PRO 6000): what the draft takes beyond its weights and cache; K2.6 on H200: none.
DRAFT_EXTRA = Range(0.0, 0.8, 1.7)


def assess(arch: Architecture, ask: Question) -> Fit:
    """The answer; UnsupportedConfig where there can't be a right one."""
    _refuse_what_vllm_refuses(arch, ask)
    overhead = _overhead(arch, ask)
    parts = _parts(arch, ask)
    found = [
        stage_of(arch, ask, part, layers, overhead) for part, layers in zip(parts, stages(arch, ask.pp), strict=True)
    ]
    tightest = min(found, key=lambda stage: stage.room.low / stage.per_token)
    asked = least(stage.asked for stage in found)
    verdict, said = judged(ask, asked)
    gaps = _unmeasured(arch, ask)
    if verdict == "fits" and gaps:
        verdict, said = "tight", f"{said} But no measured run has: {'; '.join(gaps)}."
    load = load_seconds(arch, ask)
    return Fit(
        verdict=verdict,
        budget_gib=ask.budget_gib,
        weights_gib_per_gpu=tightest.weights,
        overhead_gib=overhead,
        kv_gib_per_gpu=tightest.room,
        kv_bytes_per_token_per_rank=tightest.per_token,
        kv_tokens=least(stage.tokens for stage in found),
        max_context_tokens=least(stage.longest for stage in found),
        concurrent_requests=each_end(asked, lambda edge: edge // ask.request_tokens * ask.dp),
        host_ram_gib=host_ram_gib(ask),
        pinned_gib=pinned_gib(ask),
        shm_gib=shm_gib(ask),
        checkpoint_gib=checkpoint_gib(arch, ask),
        load_seconds=load,
        budget_table=_table(ask, parts, found, overhead),
        reasons=(
            weights_sentence(ask, tightest.weights),
            room_sentence(ask, tightest.room, tightest.per_token, overhead),
            said,
        ),
        notes=(host_sentence(ask), load_sentence(ask, load)),
        unmeasured=(*ask.unmeasured, *gaps),
        sources=_sources(arch, ask),
    )


def _refuse_what_vllm_refuses(arch: Architecture, ask: Question) -> None:
    if ask.context_tokens > arch.positions:
        raise UnsupportedConfig(
            f"a context of {ask.context_tokens:,} tokens: the model has {arch.positions:,} positions"
        )
    if arch.indexer and ask.compute_capability is not None and ask.compute_capability < SPARSE_NEEDS:
        raise UnsupportedConfig(
            f"sparse attention (index_topk) on compute capability {ask.compute_capability}: vLLM's kernels for it "
            f"need {SPARSE_NEEDS}"
        )
    fp8 = isinstance(ask.kv_dtype, str) and ask.kv_dtype.startswith("fp8")
    if arch.mla and fp8 and ask.compute_capability is not None and ask.compute_capability < FP8_MLA_NEEDS:
        raise UnsupportedConfig(
            f"kv_dtype {ask.kv_dtype} with latent attention on compute capability {ask.compute_capability}: vLLM's "
            f"only kernel there refuses FP8 KV below {FP8_MLA_NEEDS}; use bfloat16"
        )


def _unmeasured(arch: Architecture, ask: Question) -> tuple[str, ...]:
    """Kinds of attention whose overhead none of the rows shows that the ranges rest on; none when it was measured."""
    if ask.overhead_gib is not None:
        return ()
    kinds = ((arch.indexer, "sparse attention's workspaces"), (arch.windowed, "windowed layers and padded experts"))
    return tuple(what for there, what in kinds if there is not None)


def _overhead(arch: Architecture, ask: Question) -> Range:
    """What was measured, else the range of the version; a draft model's graphs and buffers come on top."""
    if ask.overhead_gib is not None:
        return Range(ask.overhead_gib, ask.overhead_gib, ask.overhead_gib)
    found = overhead_gib(
        ask.vllm,
        arch,
        tp=ask.tp,
        dp=ask.dp,
        gpu_memory_gib=ask.gpu_memory_gib,
        compute_capability=ask.compute_capability,
        context_tokens=ask.context_tokens,
        max_num_seqs=ask.max_num_seqs,
        max_num_batched_tokens=ask.max_num_batched_tokens,
        encoder=ask.mm_encoder != "none",
    )
    return found if ask.draft is None else found + DRAFT_EXTRA


def _parts(arch: Architecture, ask: Question) -> list[Split]:
    """Bytes on one GPU of each stage by kind; a draft model runs on the last stage."""
    found = split_bytes(
        arch,
        tp=ask.tp,
        pp=ask.pp,
        dp=ask.dp,
        ep=ask.ep,
        mm_encoder=ask.mm_encoder,
        weight_quant=ask.weight_quant,
        stored=ask.stored,
        expert_growth=expert_growth(
            arch,
            ranks=ask.tp * ask.dp,
            ep=ask.ep,
            weight_quant=ask.weight_quant,
            vllm=ask.vllm,
            compute_capability=ask.compute_capability,
        ),
    )
    if ask.draft is not None:
        found[-1] = found[-1]._replace(draft=draft_bytes(ask.draft, tp=ask.tp, pp=ask.pp))
    return found


def _table(ask: Question, parts: list[Split], found: list[Stage], overhead: Range) -> tuple[BudgetRow, ...]:
    rows: list[BudgetRow] = []
    for number, (part, stage) in enumerate(zip(parts, found, strict=True), start=1):
        rows += stage_rows(ask, number, part, stage.per_asked, stage.room, overhead)
    return tuple(rows)


def _sources(arch: Architecture, ask: Question) -> tuple[str, ...]:
    era, left = era_of(ask.vllm), left_alone(ask.weight_quant, arch.name)
    return (
        ARITHMETIC if ask.stored is None else HEADERS,
        *([LEFT_ALONE.format(", ".join(left))] if left else []),
        f"overhead, vLLM {era.name}: {era.source}" if ask.overhead_gib is None else MEASURED,
    )
