"""The settings a search may turn, from the plainest to the most far-fetched, and the reason for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from assumptions.formulas.memory import FP8_MLA_NEEDS, Architecture
from assumptions.formulas.offers import Offer, Want

RAISED = 0.95  # the highest that public logs of Kimi K2 on 80 GB cards used
FP8_NEEDS = 8.9  # compute capability of the first cards with FP8
SMALL_BATCH = 2048  # tokens; vLLM 0.33's own for A100 and for cards below 70 GiB
SMALL_SEQS = 16
A100 = 8.0
PCIE_GIB_PER_S = 23.0  # 25 GB/s, assumed


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """One setting of everything that the memory model knows; None is vLLM's own default."""

    tp: int
    pp: int = 1
    dcp: int = 1
    kv_dtype: str = "auto"
    utilization: float | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    cpu_offload_gib: float = 0.0


def splits(offer: Offer) -> tuple[tuple[int, int], ...]:
    """(tensor, pipeline) ways to use every card, plainest first: a tensor group inside each host, then fewer stages."""
    inside = offer.gpus // offer.hosts
    found = [(inside, offer.hosts)]
    found += [(offer.gpus // pp, pp) for pp in (1, 2, 4, 8) if offer.gpus % pp == 0]
    return tuple(dict.fromkeys(found))


def context_splits(tp: int, arch: Architecture) -> tuple[int, ...]:
    """Decode-context-parallel sizes that vLLM accepts: they divide `tp`, and no KV head is held by fewer ranks."""
    most = tp if arch.mla else max(1, tp // arch.kv_heads)
    return tuple(n for n in (1, 2, 4, 8, 16) if n <= most and tp % n == 0)


def allows_fp8(offer: Offer, arch: Architecture) -> bool:
    """Whether the cards can hold an FP8 KV cache for this attention."""
    least = FP8_MLA_NEEDS if arch.mla else FP8_NEEDS
    return offer.compute_capability is not None and offer.compute_capability >= least


def ladder(offer: Offer, arch: Architecture, want: Want, tp: int, pp: int) -> Iterator[Knobs]:
    """Every setting of one split.  Plain first; then DCP, smaller batches, more of the card, and FP8 KV last."""
    seqs = max(want.concurrent_requests, SMALL_SEQS)
    types = ("auto", "fp8") if allows_fp8(offer, arch) else ("auto",)
    batches = ((None, None), (seqs, SMALL_BATCH))
    for kv, use, (most, tokens), dcp in product(types, (None, RAISED), batches, context_splits(tp, arch)):
        yield Knobs(
            tp=tp, pp=pp, dcp=dcp, kv_dtype=kv, utilization=use, max_num_seqs=most, max_num_batched_tokens=tokens
        )


def reasons(knobs: Knobs, offer: Offer, arch: Architecture) -> tuple[str, ...]:
    """A sentence for each setting that is not the default."""
    return tuple(_reasons(knobs, offer, arch))


def _reasons(knobs: Knobs, offer: Offer, arch: Architecture) -> Iterator[str]:
    if knobs.tp > offer.gpus // offer.hosts:
        yield f"tensor parallel {knobs.tp} crosses hosts: it needs RDMA between them"
    if knobs.pp > 1:
        where = "one stage a host" if knobs.pp == offer.hosts else "layers dealt out in turn"
        yield f"pipeline parallel {knobs.pp}: {where}"
    if knobs.dcp > 1:
        latent = "a latent KV cache is whole on every rank otherwise" if arch.mla else "few KV heads"
        yield f"decode context parallel {knobs.dcp}: {knobs.dcp} ranks share each token's KV ({latent})"
    if knobs.kv_dtype != "auto":
        yield "FP8 KV: half the bytes; uncalibrated it cost Kimi K2.5 quality on Hopper (vLLM blog 2026-04-22)"
    if knobs.utilization is not None:
        yield f"utilization {knobs.utilization:g}: leaves {offer.memory_gib * (1 - knobs.utilization):.1f} GiB outside"
    if knobs.max_num_seqs is not None:
        batch = f"at most {knobs.max_num_seqs} requests and {knobs.max_num_batched_tokens} tokens a step"
        yield f"{batch}: less warm-up memory, slower prefill"
    if knobs.cpu_offload_gib:
        total, seconds = knobs.cpu_offload_gib * offer.gpus, knobs.cpu_offload_gib / PCIE_GIB_PER_S
        have = "" if offer.ram_gib is None else f" of {offer.ram_gib:g} declared"
        yield f"{knobs.cpu_offload_gib:g} GiB of weights per GPU in host RAM: {total:,.0f} GiB in all{have}"
        yield f"reading all of that takes {seconds:.1f} s a pass at {PCIE_GIB_PER_S:g} GiB/s, assumed for PCIe 4"
    if offer.compute_capability == A100 and arch.mla and knobs.dcp > 1:
        yield "TRITON_MLA, the only kernel for this attention on an A100, supports DCP (vLLM 0.33.0 wheel)"
