"""The sentences that tell a reader how a verdict came about."""

from __future__ import annotations

from assumptions.formulas.host import PROCESS_GIB, SERVER_GIB, host_ram_gib, pinned_gib, shm_gib
from assumptions.formulas.overhead import era_of
from assumptions.formulas.question import Question
from assumptions.formulas.shapes import Range
from assumptions.formulas.verdict import Verdict


def judged(ask: Question, tokens: Range) -> tuple[Verdict, str]:
    """The verdict and the sentence that says why."""
    need = ask.needed_tokens
    held = f"{int(tokens.low):,} to {int(tokens.high):,} tokens of KV"
    wanted = f"{ask.per_replica} request(s) of {ask.context_tokens:,} tokens need {need:,}"
    if tokens.high < need:
        return "does-not-fit", f"{wanted}; even the low overhead leaves room for {int(tokens.high):,}."
    if tokens.low < need:
        return "tight", f"{wanted}; there is room for {held}, depending on the overhead."
    if unmeasured := ask.unmeasured:
        return (
            "tight",
            f"{wanted}; on paper there is room for {held}, but no measured run has: {'; '.join(unmeasured)}.",
        )
    return "fits", f"{wanted}; there is room for {held}, even with the high overhead."


def weights_sentence(ask: Question, weights_gib: float) -> str:
    """The weights beside the budget."""
    weights, budget = round(weights_gib, 2), round(ask.budget_gib, 2)  # so that the sum printed is the sum shown
    text = (
        f"weights {weights:.2f} GiB on each of {ask.ranks} GPUs, "
        f"budget {budget:.2f} GiB = {ask.utilization:g} x {ask.gpu_memory_gib:g}: "
    )
    if weights > budget:
        return text + f"short by {weights - budget:.2f} GiB before any KV or overhead"
    return text + f"{budget - weights:.2f} GiB left for overhead and KV"


def room_sentence(ask: Question, room: Range, per_token: int, overhead: Range) -> str:
    """What the overhead leaves for KV."""
    whence = "measured" if ask.overhead_gib is not None else f"vLLM {era_of(ask.vllm).name}"
    return (
        f"overhead {overhead.low:.2f} to {overhead.high:.2f} GiB ({whence}) leaves "
        f"{room.low:.2f} to {room.high:.2f} GiB per GPU for KV at {per_token:,} bytes per token"
    )


def host_sentence(ask: Question) -> str:
    """The sum of one host's RAM."""
    total, ranks = host_ram_gib(ask), ask.ranks_per_host
    pinned = f"{pinned_gib(ask):.1f} pinned for offloaded weights, " if ask.cpu_offload_gib else ""
    return (
        f"host RAM {total.low:.1f} to {total.high:.1f} GiB = {pinned}{shm_gib(ask):.2f} of /dev/shm, "
        f"{SERVER_GIB:g} for the server, and {PROCESS_GIB.low:g} to {PROCESS_GIB.high:g} (assumed) for each of {ranks} "
        "worker(s); page cache comes on top and can be taken back"
    )


def load_sentence(ask: Question, load: Range | None) -> str:
    """How long a start takes, or why that can't be said."""
    if load is not None:
        return (
            f"ready {load.low:,.0f} to {load.high:,.0f} s after the start, about {load.mid:,.0f}: the least is "
            f"the read alone at {ask.disk_gib_per_s:g} GiB/s; two public logs took 90 and 1,413 s from weights to ready"
        )
    if ask.disk_gib_per_s is None:
        return "load time: not said without the disk's speed (GiB/s); measure it on the host"
    return "load time: not said, because the checkpoint's size is not known"
