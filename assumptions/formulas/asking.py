"""From one machine, checkpoint and setting to an option: the memory model's answer, the price, what is unproven."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from assumptions.formulas.evidence import needed_tokens, shown_by, unproven
from assumptions.formulas.knobs import Knobs, reasons
from assumptions.formulas.memory import Fit, Range, UnsupportedConfig, fit
from assumptions.formulas.offers import Checkpoint, Offer, Option, Want
from assumptions.formulas.shapes import GIB

HOURS_PER_MONTH = 730
SHORTEST = 1024  # tokens; a context below it is no offer
WIRED_SHARE = 0.75  # of unified memory that macOS lets the GPU use unless told otherwise (secondary sources)
RANKS = {"fits": 0, "tight": 1, "does-not-fit": 2, "unsupported": 3}


def certain(option: Option) -> bool:
    """Whether even the high overhead leaves room for what is wanted."""
    return option.margin_gib is not None and option.margin_gib.low >= 0


def verdict_rank(option: Option) -> tuple[int, bool]:
    """Smaller is better: the verdict, and within it what lacks only a measured run before what may lack room."""
    return RANKS[option.verdict], not certain(option)


def answered(offer: Offer, checkpoint: Checkpoint, want: Want, knobs: Knobs) -> Option:
    """What the memory model says of this setting; a split that vLLM refuses has the verdict `unsupported`."""
    if checkpoint.arch is None:
        raise UnsupportedConfig(f"{checkpoint.id} has no memory model")
    try:
        found = fit(
            checkpoint.arch,
            gpu_memory_gib=offer.memory_gib,
            compute_capability=offer.compute_capability,
            gpus=offer.gpus,
            tp=knobs.tp,
            pp=knobs.pp,
            dcp=knobs.dcp,
            utilization=knobs.utilization,
            kv_dtype=knobs.kv_dtype,
            max_num_seqs=knobs.max_num_seqs,
            max_num_batched_tokens=knobs.max_num_batched_tokens,
            cpu_offload_gib=knobs.cpu_offload_gib,
            context_tokens=want.context_tokens,
            concurrent_requests=want.concurrent_requests,
            vllm=want.vllm,
            mm_encoder=want.mm_encoder,
            hosts=offer.hosts,
        )
    except UnsupportedConfig as refusal:
        found = Fit("unsupported", 0.0, reasons=(f"Not answered: {refusal}.",))
    run = shown_by(offer, checkpoint, want, knobs)
    return Option(
        **_named(offer, checkpoint, want),
        tp=knobs.tp,
        pp=knobs.pp,
        dcp=knobs.dcp,
        kv_dtype=knobs.kv_dtype,
        utilization=knobs.utilization,
        max_num_seqs=knobs.max_num_seqs,
        max_num_batched_tokens=knobs.max_num_batched_tokens,
        cpu_offload_gib=knobs.cpu_offload_gib,
        verdict=found.verdict,
        proven=found.verdict == "fits" and run is not None,
        margin_gib=_margin(found, want, knobs),
        kv_tokens=found.kv_tokens,
        max_context_tokens=found.max_context_tokens,
        reasons=(*found.reasons, *reasons(knobs, offer, checkpoint.arch)),
        unproven=tuple(unproven(found, run, offer, checkpoint, want)),
    )


def at_longest(offer: Offer, checkpoint: Checkpoint, want: Want, knobs: Knobs) -> Option:
    """The wanted context where it can be had; else the longest that surely fits, else the longest that may."""
    whole = answered(offer, checkpoint, want, knobs)
    longest = whole.max_context_tokens
    if whole.verdict != "does-not-fit" or longest is None or longest.high < SHORTEST:
        return whole
    tokens = int(longest.low if longest.low >= SHORTEST else longest.high)
    shorter = answered(offer, checkpoint, replace(want, context_tokens=tokens), knobs)
    return replace(shorter, reasons=(f"{want.context_tokens:,} tokens do not fit", *shorter.reasons))


def file_only(offer: Offer, checkpoint: Checkpoint, want: Want) -> Option:
    """A checkpoint without a memory model: its file against the memory, so never better than `tight`."""
    size, total = checkpoint.file_bytes / GIB, offer.memory_gib * offer.gpus
    told = [f"the file is {size:.1f} GiB, the memory {total:.1f} GiB"]
    if size > WIRED_SHARE * total:
        told.append(f"more than {WIRED_SHARE:.0%} of it: raise iogpu.wired_limit_mb")
    left = total - size
    gaps = [f"no memory model of {checkpoint.engine} here: KV cache and buffers are not counted"]
    gaps += [checkpoint.lossy] if checkpoint.lossy else []
    return Option(
        **_named(offer, checkpoint, want),
        verdict="tight" if left > 0 else "does-not-fit",
        margin_gib=None if left > 0 else Range(left, left, left),
        reasons=tuple(told),
        unproven=tuple(gaps),
    )


def _margin(found: Fit, want: Want, knobs: Knobs) -> Range | None:
    room, per_token = found.kv_gib_per_gpu, found.kv_bytes_per_token_per_rank
    if room is None or per_token is None:
        return None
    need = needed_tokens(want, knobs) * per_token / GIB
    return Range(room.low - need, room.mid - need, room.high - need)


def _named(offer: Offer, checkpoint: Checkpoint, want: Want) -> dict[str, Any]:
    rent = offer.rent_usd_per_gpu_hour
    hours = offer.gpus * HOURS_PER_MONTH
    return {
        "machine": offer.id,
        "title": offer.title,
        "gpu": offer.gpu,
        "gpus": offer.gpus,
        "model": checkpoint.id,
        "engine": checkpoint.engine,
        "context_tokens": want.context_tokens,
        "concurrent_requests": want.concurrent_requests,
        "hardware_usd": offer.hardware_usd,
        "price_basis": offer.price_basis,
        "rent_usd_per_month": None if rent is None else Range(rent.low * hours, rent.mid * hours, rent.high * hours),
    }
