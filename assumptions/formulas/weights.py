"""Bytes of a model's weights: on disk, and on each GPU for one way of splitting it."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.shapes import GIB, UnsupportedConfig, shown, whole_number
from assumptions.formulas.stored import Lot, Stored, of_stage, stored_by

ENCODERS = ("none", "data", "weights")  # not loaded; a whole copy on each rank; divided like the decoder


def checkpoint_bytes(arch: Architecture, weight_quant: str | None = None) -> int:
    """Bytes of every tensor in the checkpoint: draft layers and vision tower too, file headers not.

    Kimi K2 Thinking: 384 experts x 60 layers x 3 x 7168 x 2048 = 1,014,686,023,680 numbers, packed in 4 bits
    507,343,011,840 bytes, a bf16 scale for each 32 of them 63,417,876,480, the shapes of 69,120 matrices (two int32
    each) 552,960; everything else in bf16 23,444,371,456; 23,040 router biases in fp32 92,160.
    Together 594,205,904,896 bytes.  Kimi K2.5 adds 471,143,920 bf16 numbers of vision: 595,148,192,736.
    """
    return stored_by(arch, weight_quant).total_bytes


def stages(arch: Architecture, pp: int) -> tuple[range, ...]:
    """The layers of each pipeline stage, as vLLM deals them: the remainder goes to the stages before the last."""
    if whole_number("pp", pp) > arch.layers:
        raise UnsupportedConfig(f"{pp} pipeline stages for {arch.layers} layers: a stage would be empty")
    share = [arch.layers // pp] * pp
    for i in range(arch.layers % pp):
        share[pp - 2 - i] += 1
    starts = [sum(share[:i]) for i in range(pp)]
    return tuple(range(start, start + size) for start, size in zip(starts, share, strict=True))


class Split(NamedTuple):
    """Bytes on one GPU of a pipeline stage, by what tensor parallelism does with them."""

    experts: int = 0
    divided: int = 0
    whole: int = 0
    vision: int = 0
    draft: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self)


def split_bytes(
    arch: Architecture,
    *,
    tp: int,
    pp: int = 1,
    dp: int = 1,
    ep: bool = False,
    mm_encoder: str = "none",
    weight_quant: str | None = None,
    stored: Stored | None = None,
    expert_growth: float = 1.0,
) -> list[Split]:
    """What one GPU of each pipeline stage holds, first stage first; `stored` replaces the config's arithmetic.

    `expert_growth` is how much larger the engine's kernels make the routed experts.
    """
    check_split(arch, tp=tp, dp=dp, ep=ep)
    held = stored_by(arch, weight_quant) if stored is None else stored
    found = []
    for lots in _stage_lots(held, stages(arch, pp)):
        sums = {"expert": 0, "tp": 0, "kv": 0, "whole": 0}
        for lot, times in lots:
            sums[lot.split] += _on_one_rank(lot, tp, dp, ep, arch.kv_heads) * times
        found.append(Split(round(sums["expert"] * expert_growth), sums["tp"] + sums["kv"], sums["whole"]))
    found[0] = found[0]._replace(vision=_encoder(held, mm_encoder, tp))
    return found


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
    found = split_bytes(arch, tp=tp, pp=pp, dp=dp, ep=ep, mm_encoder=mm_encoder, weight_quant=weight_quant)
    return tuple(part.total for part in found)


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
    """GiB of weights on a GPU of the heaviest pipeline stage.

    Kimi K2.5's text model on 8 ranks: routed experts 570,761,441,280 bytes and all else that is divided
    21,265,121,280 bytes, together / 8 = 68.92 GiB; whole on each rank q_a_proj, kv_a_proj, norms and router,
    2,179,342,336 bytes = 2.03 GiB.  Sum 70.95 GiB.
    """
    sizes = stage_bytes(arch, tp=tp, pp=pp, dp=dp, ep=ep, mm_encoder=mm_encoder, weight_quant=weight_quant)
    return max(sizes) / GIB


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


@lru_cache(maxsize=256)
def _stage_lots(stored: Stored, dealt: tuple[range, ...]) -> tuple[tuple[tuple[Lot, int], ...], ...]:
    """Each stage's tensors with those that are alike counted: a few kinds, however many layers there are."""
    found = []
    for layers in dealt:
        kinds: Counter[Lot] = Counter()
        for part in of_stage(stored, layers):
            for lot in part:
                kinds[lot._replace(times=1)] += lot.times
        found.append(tuple(kinds.items()))
    return tuple(found)


def _on_one_rank(lot: Lot, tp: int, dp: int, ep: bool, kv_heads: int) -> int:
    if lot.split == "whole":
        return lot.size
    if lot.split == "kv":
        return -(-lot.size // min(tp, kv_heads))
    if lot.split == "expert":
        ranks = tp * dp
        if ep:  # whole experts: the fullest rank holds the rounded-up share
            return lot.size // lot.copies * -(-lot.copies // ranks)
        return -(-lot.size // ranks)
    return -(-lot.size // tp)


def _encoder(stored: Stored, mm_encoder: str, tp: int) -> int:
    if mm_encoder not in ENCODERS:
        raise UnsupportedConfig(f"mm_encoder {shown(mm_encoder)} is not one of {', '.join(ENCODERS)}")
    if mm_encoder == "none":
        return 0
    if stored.vision_bytes is None:
        raise UnsupportedConfig("the size of this model's vision tower is not known here; use mm_encoder 'none'")
    return stored.vision_bytes // (tp if mm_encoder == "weights" else 1)
