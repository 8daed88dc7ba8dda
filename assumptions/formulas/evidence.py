"""What public logs show of a setting, and what nothing shows."""

from __future__ import annotations

from collections.abc import Iterator

from assumptions.formulas.knobs import Knobs
from assumptions.formulas.memory import Fit
from assumptions.formulas.offers import Checkpoint, Offer, Run, Want, same_text_model
from assumptions.formulas.question import BLOCK


def shown_by(offer: Offer, checkpoint: Checkpoint, want: Want, knobs: Knobs) -> Run | None:
    """The public log, if there is one, that shows this setting with at least the KV tokens that are wanted."""
    needed = needed_tokens(want, knobs)
    setting = (knobs.tp, knobs.pp, knobs.dcp, knobs.kv_dtype)
    return next(
        (
            run
            for run in _runs(offer, checkpoint)
            if (run.tp, run.pp, run.dcp, run.kv_dtype) == setting
            and run.kv_tokens >= needed
            and knobs.cpu_offload_gib == 0
        ),
        None,
    )


def needed_tokens(want: Want, knobs: Knobs) -> int:
    """KV tokens of the wanted requests, each in whole blocks."""
    block = BLOCK * knobs.dcp
    return want.concurrent_requests * -(-want.context_tokens // block) * block


def unproven(found: Fit, run: Run | None, offer: Offer, checkpoint: Checkpoint, want: Want) -> Iterator[str]:
    """A sentence for each thing that no measured run and no public log shows."""
    for gap in found.unmeasured:
        yield f"no measured run behind the memory model has {gap}"
    known = _runs(offer, checkpoint)
    if offer.hosts > 1:
        yield f"one engine over {offer.hosts} hosts needs a cluster start, which is not built here"
    if run is not None:
        yield from _of_another_kind(run, want)
    elif known:
        most = max(each.kv_tokens for each in known)
        yield f"no public log of this setting; on this machine logs show up to {most:,} KV tokens with others"
    else:
        yield f"no public log found of {checkpoint.title} on {offer.gpus}x {offer.gpu}"


def _of_another_kind(run: Run, want: Want) -> Iterator[str]:
    if run.vllm != want.vllm:
        yield f"the public log is of vLLM {run.vllm or '(not said)'}, not {want.vllm}"
    if run.approximate:
        yield "its KV tokens were published as approximate"


def _runs(offer: Offer, checkpoint: Checkpoint) -> tuple[Run, ...]:
    arch = checkpoint.arch
    return tuple(run for run in offer.runs if arch is not None and same_text_model(run.arch, arch))
