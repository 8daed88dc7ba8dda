"""What the hosts already declared can do: the settings that reach the wanted context, or the longest each gives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from assumptions.formulas.asking import answered, at_longest, certain, verdict_rank
from assumptions.formulas.knobs import RAISED, SMALL_BATCH, SMALL_SEQS, Knobs, allows_fp8, context_splits, ladder
from assumptions.formulas.memory import Architecture
from assumptions.formulas.offers import Checkpoint, Offer, Option, Want
from assumptions.formulas.search import ABLE, best_on


def on_declared(offer: Offer, checkpoint: Checkpoint, want: Want, declared: Knobs) -> tuple[Option, ...]:
    """The declared setting first; where it is not sure to fit, what each knob gives and the plainest that works."""
    if checkpoint.arch is None:
        best = best_on(offer, (checkpoint,), want)
        return (best,) if best else ()
    plain = answered(offer, checkpoint, want, declared)
    if plain.verdict in ABLE and certain(plain):
        return (plain,)
    settings = _settings(offer, checkpoint.arch, want, declared)
    rows = [at_longest(offer, checkpoint, want, knobs) for knobs in (declared, *settings)]
    works = _plainest(offer, checkpoint, want, declared)
    if works is not None:
        return _distinct((*rows, works))
    told = rows if any(row.verdict in ABLE for row in rows) else [plain]  # one row is enough to say by how much
    return _distinct((*told, *_offloaded(offer, checkpoint, want, declared)))


def _settings(offer: Offer, arch: Architecture, want: Want, base: Knobs) -> Iterator[Knobs]:
    """The knobs one at a time, then together; a lone FP8 KV too where the card refuses it, so that the row says so."""
    raised = replace(base, utilization=max(RAISED, base.utilization or 0.0))
    seqs = max(SMALL_SEQS, want.concurrent_requests)
    small = replace(raised, max_num_seqs=seqs, max_num_batched_tokens=SMALL_BATCH)
    most = context_splits(base.tp, arch)[-1]
    yield raised
    yield small
    yield replace(base, dcp=most)
    yield replace(raised, dcp=most)
    yield replace(small, dcp=most)
    yield replace(raised, kv_dtype="fp8")
    if allows_fp8(offer, arch):
        yield replace(small, dcp=most, kv_dtype="fp8")


def _plainest(offer: Offer, checkpoint: Checkpoint, want: Want, base: Knobs) -> Option | None:
    """The first setting of the declared split that surely holds the wanted context, else the first that may."""
    if checkpoint.arch is None:
        return None
    steps = ladder(offer, checkpoint.arch, want, base.tp, base.pp)
    able = [option for knobs in steps if (option := answered(offer, checkpoint, want, knobs)).verdict in ABLE]
    return min(able, key=verdict_rank, default=None)  # min keeps the first among equals


def _offloaded(offer: Offer, checkpoint: Checkpoint, want: Want, base: Knobs) -> Iterator[Option]:
    """Weights moved to host RAM until the wanted requests fit with the high overhead; whole GiB per GPU."""
    arch = checkpoint.arch
    for dcp in (1, context_splits(base.tp, arch)[-1]) if arch is not None else ():
        knobs = replace(base, dcp=dcp)
        short = answered(offer, checkpoint, want, knobs).margin_gib
        if short is None or short.low >= 0:
            continue
        moved = float(math.ceil(-short.low))
        option = answered(offer, checkpoint, want, replace(knobs, cpu_offload_gib=moved))
        if not certain(option):
            continue  # more than the weights themselves would have to go
        total = moved * offer.gpus
        if offer.ram_gib is not None and total > offer.ram_gib:
            why = f"the hosts' {offer.ram_gib:g} GiB of RAM cannot hold {total:,.0f} GiB"
            option = replace(option, verdict="does-not-fit", reasons=(why, *option.reasons))
        yield option


def _distinct(rows: Iterable[Option]) -> tuple[Option, ...]:
    """Each setting once."""
    seen: dict[tuple[object, ...], Option] = {}
    for row in rows:
        key = (row.tp, row.pp, row.dcp, row.kv_dtype, row.utilization, row.max_num_seqs, row.cpu_offload_gib)
        seen.setdefault(key, row)
    return tuple(seen.values())
