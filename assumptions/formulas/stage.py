"""What one pipeline stage leaves for KV, and how many tokens that is: as the engine counts, and as requests need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.draft import draft_kv_bytes
from assumptions.formulas.eras import era_of
from assumptions.formulas.kv import Cache, cache_of, kv_tokens
from assumptions.formulas.question import Question
from assumptions.formulas.shapes import GIB, Range
from assumptions.formulas.warm_up import largest_batch_tokens
from assumptions.formulas.weights import Split


class Stage(NamedTuple):
    """One pipeline stage's figures on each of its GPUs."""

    weights: float
    per_token: int  # as the engine counts tokens
    per_asked: int  # as a token of the wanted requests costs
    room: Range
    tokens: Range
    asked: Range  # tokens in requests of the wanted length
    longest: Range


def stage_of(arch: Architecture, ask: Question, part: Split, layers: range, overhead: Range) -> Stage:
    """What `part` and `overhead` leave on a GPU that holds `layers`, in bytes and in tokens."""
    weights = max(0.0, part.total / GIB - ask.cpu_offload_gib)
    left = ask.budget_gib - weights
    room = Range(left - overhead.high, left - overhead.mid, left - overhead.low)
    cache = _cache(arch, ask, layers)
    per_token, request = _counted(ask, cache), cache.request_bytes(ask.request_tokens)
    tokens = each_end(room, lambda edge: kv_tokens(edge * GIB, per_token, ask.block))
    return Stage(
        weights=weights,
        per_token=per_token,
        per_asked=-(-request // ask.request_tokens),
        room=room,
        tokens=tokens,
        asked=each_end(room, lambda edge: max(0, int(edge * GIB // request)) * ask.request_tokens)
        if cache.windowed
        else tokens,
        longest=_longest(arch, ask, cache, room),
    )


def _cache(arch: Architecture, ask: Question, layers: range) -> Cache:
    """What this rank keeps of each token; a draft model's own layers lie on the last stage."""
    batched = largest_batch_tokens(
        ask.vllm, ask.gpu_memory_gib, ask.compute_capability, ask.context_tokens, ask.max_num_batched_tokens
    )
    cache = cache_of(
        arch,
        layers,
        tp=ask.tp,
        dcp=ask.dcp,
        kv_dtype=ask.kv_dtype,
        batched_tokens=batched,
        vllm=ask.vllm,
        compute_capability=ask.compute_capability,
    )
    if ask.draft is not None and layers.stop == arch.layers:
        return cache._replace(full=cache.full + draft_kv_bytes(ask.draft, tp=ask.tp, kv_dtype=ask.kv_dtype))
    return cache


def _counted(ask: Question, cache: Cache) -> int:
    """Bytes per token as the engine's log counts tokens: every layer in full, from 0.20 by a request of full length."""
    if not cache.windowed or not era_of(ask.vllm).counts_requests:
        return cache.every_layer
    return -(-cache.request_bytes(ask.context_tokens) // ask.context_tokens)


def _longest(arch: Architecture, ask: Question, cache: Cache, room: Range) -> Range:
    """Tokens of each request when `per_replica` of them share the room evenly, up to the model's positions."""

    def most(edge: float) -> int:
        if cache.windowed:
            return min(arch.positions, cache.longest(edge * GIB / ask.per_replica))
        return min(arch.positions, kv_tokens(edge * GIB, cache.full, ask.block) // ask.per_replica)

    return each_end(room, most)


def each_end(room: Range, of: Callable[[float], float]) -> Range:
    """`of` applied to low, mid and high."""
    return Range(of(room.low), of(room.mid), of(room.high))


def least(ranges: Iterable[Range]) -> Range:
    """End by end the least: the tightest stage limits."""
    every = tuple(ranges)
    return Range(min(r.low for r in every), min(r.mid for r in every), min(r.high for r in every))
