"""Bytes of a model's weights: on disk, and on each GPU for one way of splitting it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.quantization import Quantization, quantization
from assumptions.formulas.shapes import GIB, UnsupportedConfig, shown, whole_number
from assumptions.formulas.tensors import (
    BF16,
    Tensor,
    draft_tensors,
    first_tensors,
    last_tensors,
    layer_tensors,
    text_tensors,
)

ENCODERS = ("none", "data", "weights")  # not loaded; a whole copy on each rank; divided like the decoder


def checkpoint_bytes(arch: Architecture, weight_quant: str | None = None) -> int:
    """Bytes of every tensor in the checkpoint: draft layers and vision tower too, file headers not."""
    stored = quantization(arch.quantization, weight_quant)
    if arch.vision_params is None:
        raise UnsupportedConfig("the size of this model's vision tower is not known here")
    text = sum(stored.bytes_of(tensor) for source in (text_tensors, draft_tensors) for tensor in source(arch))
    return text + arch.vision_params * BF16


def stages(arch: Architecture, pp: int) -> tuple[range, ...]:
    """The layers of each pipeline stage, as vLLM deals them: the remainder goes to the stages before the last."""
    if whole_number("pp", pp) > arch.layers:
        raise UnsupportedConfig(f"{pp} pipeline stages for {arch.layers} layers: a stage would be empty")
    share = [arch.layers // pp] * pp
    for i in range(arch.layers % pp):
        share[pp - 2 - i] += 1
    starts = [sum(share[:i]) for i in range(pp)]
    return tuple(range(start, start + size) for start, size in zip(starts, share, strict=True))


def stage_bytes(
    arch: Architecture,
    *,
    tp: int,
    pp: int = 1,
    dp: int = 1,
    ep: bool = False,
    mm_encoder: str = "none",
    weight_quant: str | None = None,
) -> tuple[int, ...]:
    """Bytes of weights on one GPU of each pipeline stage, first stage first."""
    check_split(arch, tp=tp, dp=dp, ep=ep)
    stored = quantization(arch.quantization, weight_quant)
    cost = lru_cache(maxsize=None)(lambda tensor: _on_one_rank(arch, stored, tensor, tp, dp, ep))
    sums = [sum(cost(tensor) for tensor in _of_stage(arch, layers)) for layers in stages(arch, pp)]
    sums[0] += _encoder(arch, mm_encoder, tp)
    return tuple(sums)


def weights_gib_per_gpu(
    arch: Architecture,
    *,
    tp: int,
    pp: int = 1,
    dp: int = 1,
    ep: bool = False,
    mm_encoder: str = "none",
    weight_quant: str | None = None,
) -> float:
    """GiB of weights on a GPU of the heaviest pipeline stage."""
    split = {"tp": tp, "pp": pp, "dp": dp}
    return max(stage_bytes(arch, **split, ep=ep, mm_encoder=mm_encoder, weight_quant=weight_quant)) / GIB


def check_split(arch: Architecture, *, tp: int, dp: int = 1, ep: bool = False) -> None:
    """Raise UnsupportedConfig when vLLM could not divide this model over `tp` x `dp` ranks."""
    ranks = whole_number("tp", tp) * whole_number("dp", dp)
    if arch.heads % tp:
        raise UnsupportedConfig(f"{arch.heads} attention heads can't be divided by tp {tp}")
    if not arch.mla and max(arch.kv_heads, tp) % min(arch.kv_heads, tp):
        raise UnsupportedConfig(f"{arch.kv_heads} key/value heads and tp {tp}: neither divides the other")
    if arch.dense_width % tp:
        raise UnsupportedConfig(f"an MLP of width {arch.dense_width} can't be divided by tp {tp}")
    if arch.moe and not ep and arch.moe.width % ranks:
        raise UnsupportedConfig(f"experts of width {arch.moe.width} can't be divided by tp x dp = {ranks}; use ep")
    if arch.moe and ep and arch.moe.experts < ranks:
        raise UnsupportedConfig(f"{arch.moe.experts} experts for {ranks} ranks: some would hold none")


def _of_stage(arch: Architecture, layers: range) -> Iterator[Tensor]:
    if layers.start == 0:
        yield from first_tensors(arch)
    for layer in layers:
        yield from layer_tensors(arch, layer)
    if layers.stop == arch.layers:
        yield from last_tensors(arch)
        if arch.tied and layers.start:  # the head reads the embedding, which then stands on the last stage too
            yield from first_tensors(arch)


def _on_one_rank(arch: Architecture, stored: Quantization, tensor: Tensor, tp: int, dp: int, ep: bool) -> int:
    whole_bytes = stored.bytes_of(tensor)
    if tensor.split == "whole":
        return whole_bytes
    if tensor.split == "kv":
        return -(-whole_bytes // min(tp, arch.kv_heads))
    if tensor.split == "expert":
        ranks = tp * dp
        if ep:  # whole experts: the fullest rank holds the rounded-up share
            return whole_bytes // tensor.count * -(-tensor.count // ranks)
        return -(-whole_bytes // ranks)
    return -(-whole_bytes // tp)


def _encoder(arch: Architecture, mm_encoder: str, tp: int) -> int:
    if mm_encoder not in ENCODERS:
        raise UnsupportedConfig(f"mm_encoder {shown(mm_encoder)} is not one of {', '.join(ENCODERS)}")
    if mm_encoder == "none":
        return 0
    if arch.vision_params is None:
        raise UnsupportedConfig("the size of this model's vision tower is not known here; use mm_encoder 'none'")
    return arch.vision_params * BF16 // (tp if mm_encoder == "weights" else 1)
