"""GPU memory that is neither weights nor KV cache, as a range: it depends on the version more than on the model.

overhead = the warm-up (`warm_up.py`), plus what stays resident: CUDA context, NCCL and kernel workspaces, plus CUDA
graphs where the version counts them in the budget.  The resident part is what measured runs leave after the warm-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import hypot
from typing import NamedTuple

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.eras import UNREAD, default_utilization, era_of, version_of
from assumptions.formulas.extras import sparse_gib, tower_gib
from assumptions.formulas.shapes import Range
from assumptions.formulas.warm_up import activation_bytes_per_token, largest_batch_tokens, warm_up_gib

__all__ = ["Cell", "activation_bytes_per_token", "default_utilization", "era_of", "overhead_gib", "version_of"]


class Cell(NamedTuple):
    """What the resident part depends on, as far as the logs tell."""

    recent: bool  # vLLM 0.17 or later
    experts: bool
    several: bool  # more than one rank


# GiB per GPU.  Mid: the mean of the measured models.  Ends: where the next model is expected with 95 % probability,
# from the spread between models pooled over all cells, never inside what was measured, and cut at the ends that the
# same logs give for 0.17 to 0.19 on several GPUs; `bench/calibration.py` derives each figure, and a test compares.
RESIDENT: Mapping[Cell, Range] = {
    Cell(recent=False, experts=False, several=False): Range(0.0, 0.2, 2.3),  # 2 models: 0.15 and 0.16
    Cell(recent=False, experts=True, several=False): Range(0.0, 0.2, 2.3),  # no model: as without experts
    Cell(recent=False, experts=False, several=True): Range(0.0, 0.7, 2.9),  # 2 models: 0.57 to 0.78
    Cell(recent=False, experts=True, several=True): Range(0.0, 2.1, 4.1),  # 3 models: 1.40 to 3.10
    Cell(recent=True, experts=False, several=False): Range(0.0, 0.2, 2.3),  # no model: as before 0.17
    Cell(recent=True, experts=True, several=False): Range(0.0, 0.2, 2.3),  # no model: as before 0.17
    Cell(recent=True, experts=False, several=True): Range(1.1, 2.1, 4.6),  # 1 model: 2.07 to 2.11
    Cell(recent=True, experts=True, several=True): Range(1.1, 3.8, 5.6),  # 3 models: 2.50 to 4.52
}
GRAPHS = {  # (experts?, more than one rank?)
    (False, True): Range(0.5, 0.95, 1.5),  # measured 0.85 to 0.96 (Llama 70B, 0.18 to 0.20)
    (True, True): Range(0.5, 1.6, 2.5),  # measured 1.20 to 2.28 (GLM-5.3-Flash, Kimi K2.5, DeepSeek R1)
    (False, False): Range(0.2, 0.6, 1.5),  # assumed: no measured row
    (True, False): Range(0.2, 0.6, 1.5),  # assumed: no measured row
}


def overhead_gib(
    vllm: str,
    arch: Architecture,
    *,
    tp: int,
    gpu_memory_gib: float,
    dp: int = 1,
    compute_capability: float | None = None,
    context_tokens: int | None = None,
    max_num_seqs: int | None = None,
    max_num_batched_tokens: int | None = None,
    encoder: bool = False,
) -> Range:
    """GiB per GPU beside weights and KV; batch limits are vLLM's own for this GPU unless given.

    `encoder` says that the vision tower is loaded, which then runs its largest image before the KV cache is sized.
    """
    warm_up = warm_up_gib(
        vllm,
        arch,
        tp=tp,
        gpu_memory_gib=gpu_memory_gib,
        compute_capability=compute_capability,
        context_tokens=context_tokens,
        max_num_seqs=max_num_seqs,
        max_num_batched_tokens=max_num_batched_tokens,
    )
    if encoder:
        warm_up += tower_gib(arch)
    if arch.indexer is not None:
        tokens = arch.positions if context_tokens is None else context_tokens
        batch = largest_batch_tokens(vllm, gpu_memory_gib, compute_capability, tokens, max_num_batched_tokens)
        warm_up += sparse_gib(arch.indexer, context_tokens=tokens, batched_tokens=batch)
    return warm_up + standing_gib(vllm, experts=arch.moe is not None, several=tp * dp > 1)


def standing_gib(vllm: str, *, experts: bool, several: bool, resident: Mapping[Cell, Range] = RESIDENT) -> Range:
    """GiB per GPU that stay after the warm-up: the resident part, and CUDA graphs where the version counts them."""
    era = era_of(vllm)
    kept = resident[Cell(era.recent, experts, several)]
    if not era.graphs_counted:
        return kept
    graphs = GRAPHS[experts, several]
    if era is UNREAD:
        return Range(kept.low, kept.mid + graphs.mid / 2, kept.high + graphs.high)
    mid = kept.mid + graphs.mid
    below = hypot(kept.mid - kept.low, graphs.mid - graphs.low)  # the two are uncertain independently
    return Range(max(0.0, mid - below), mid, mid + hypot(kept.high - kept.mid, graphs.high - graphs.mid))
