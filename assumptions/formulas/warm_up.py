"""The largest batch that a server runs before it sizes its KV cache, and the memory that this takes."""

from __future__ import annotations

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.eras import V0, era_of
from assumptions.formulas.shapes import GIB, Range, whole_number

A100 = 8.0


def warm_up_gib(
    vllm: str,
    arch: Architecture,
    *,
    tp: int,
    gpu_memory_gib: float,
    compute_capability: float | None = None,
    context_tokens: int | None = None,
    max_num_seqs: int | None = None,
    max_num_batched_tokens: int | None = None,
) -> Range:
    """GiB per GPU: the larger of the sampler (requests x vocabulary x bytes) and one forward pass's activations."""
    small, large = (
        _limited(batch, max_num_seqs, max_num_batched_tokens)
        for batch in _batches(vllm, gpu_memory_gib, compute_capability, context_tokens)
    )
    sampler, per_token = era_of(vllm).sampler, activation_bytes_per_token(arch, tp)

    def peak(batch: tuple[int, int], per_entry: float) -> float:
        return max(batch[0] * arch.vocab * per_entry, batch[1] * per_token) / GIB

    return Range(peak(small, sampler.low), peak(large, sampler.mid), peak(large, sampler.high))


def largest_batch_tokens(
    vllm: str, gpu_gib: float, capability: float | None, context_tokens: int | None, limit: int | None
) -> int:
    """max_num_batched_tokens: `limit`, else the most that the version's defaults give on this card."""
    return _limited(_batches(vllm, gpu_gib, capability, context_tokens)[1], None, limit)[1]


def activation_bytes_per_token(arch: Architecture, tp: int) -> int:
    """Bytes that one token of the largest batch needs at the peak of a forward pass, on one rank.

    Gate, up and their product (3 x width / tp) and three hidden vectors, in bf16; with experts the same for each
    routed copy.  Llama 8B: 6 x 14,336 + 6 x 4,096 = 110,592; the V0 rows measured 2.07 GiB / 20,000 = 111,132.
    """
    hidden = 6 * arch.hidden
    dense = 6 * (arch.dense_width // tp) + hidden
    if arch.moe is None:
        return dense
    routed = arch.moe.per_token * (2 * arch.hidden + 6 * -(-arch.moe.width // tp)) + hidden
    return max(dense, routed)


def _batches(vllm: str, gpu_gib: float, capability: float | None, context: int | None) -> tuple[tuple[int, int], ...]:
    """(requests, tokens) that a server's warm-up uses by default: the least and the most that may apply.

    vLLM 0.33 `engine/arg_utils.py`: 256 and 2,048 below 70 GiB and on A100, 1,024 and 8,192 above,
    1,024 and 16,384 from 160 GiB.  Without a compute capability an 80 GB card may be either kind.
    """
    little, much, most = (256, 2048), (1024, 8192), (1024, 16384)
    if era_of(vllm) is V0:  # it ran a prompt of full length
        return ((256, context or 2048),) * 2
    if gpu_gib < 70 or capability == A100:
        return little, little
    if gpu_gib >= 160:
        return most, most
    return (little if capability is None and gpu_gib < 85 else much), much


def _limited(batch: tuple[int, int], seqs: int | None, tokens: int | None) -> tuple[int, int]:
    return (
        batch[0] if seqs is None else whole_number("max_num_seqs", seqs),
        batch[1] if tokens is None else whole_number("max_num_batched_tokens", tokens),
    )
