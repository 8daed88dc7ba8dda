"""Claim: vLLM may be given 95 % of the GPUs' memory without running out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Outcome, Part, Severity, Stage
from assumptions._host import finding, no_gpus
from assumptions._parts import check
from assumptions._served import engine_log, served, slot
from assumptions._serving_burst import Burst, burst
from assumptions._serving_flags_log import logged_arguments
from assumptions._serving_metrics import metrics
from inventories.schema import Inventory
from tasks.facts.base import look
from tasks.facts.engine_options import recorded
from tasks.facts.gpu_memory import GpuMemory, GpuMemoryFact
from tasks.site import Site

GUIDE = 0.95  # guide §4.2: --gpu-memory-utilization
SOURCE = "guide §4.2; the engine's log, its process, and nvidia-smi while it answers as many requests as it takes"
_OOM = re.compile(r"[^\n]*(?:CUDA out of memory|torch\.OutOfMemoryError|OutOfMemoryError)[^\n]*")


@dataclass(frozen=True, slots=True)
class Full:
    """The share that vLLM was given, the burst, and whether the same process is still there without a complaint."""

    share: float | None
    burst: Burst | None = None
    began: tuple[float | None, float | None] = (None, None)  # start of the process, before and after the burst
    complaint: str = ""


def observe(site: Site, stage: Stage) -> Full:
    """Nothing without a GPU; with one the share from the log, then a burst with an eye on the GPUs' memory."""
    inventory = site.inventory
    if site.head.gpu is None or inventory.engine.kind != "vllm":
        return Full(None)
    at, host = slot(site, stage), site.host(site.head.name)
    share = _share(inventory, engine_log(site, stage).text)
    before = metrics(site, at)
    with served(site, stage, timeout=3600) as server:
        done = burst(server.client, inventory, lambda: look(host, GpuMemoryFact()))
    after, line = metrics(site, at), _OOM.search(engine_log(site, stage).text)
    starts = (before.process_began if before else None, after.process_began if after else None)
    return Full(share, done, starts, line[0].strip()[:200] if line else "")


def _share(inventory: Inventory, log: str) -> float | None:
    """What the log says was given; the parser's default where it says that nothing was."""
    given = logged_arguments(log)
    if given is None:
        return None
    known = recorded(inventory.engine.kind, inventory.engine.version)
    option = known.option("--gpu-memory-utilization") if known else None
    value = given.get("gpu_memory_utilization", option.default if option else None)
    return float(value) if isinstance(value, (int, float)) else None


def least_free(looks: tuple[tuple[GpuMemory, ...], ...]) -> tuple[int, int] | None:
    """Free and total MiB of the GPU that was fullest at any look; None where one could not be read."""
    seen = [(gpu.free_mib.value, gpu.total_mib.value) for each in looks for gpu in each]
    known = [(free, total) for free, total in seen if free is not None and total is not None]
    return min(known) if seen and len(known) == len(seen) else None


def _survived(seen: Full, done: Burst) -> Iterator[Part]:
    before, after = seen.began
    same = None if before is None or after is None else before == after
    said = "the start of the engine's process could not be seen" if same is None else "the same process answers"
    yield check(
        "engine", same, said if same is not False else "it was started anew meanwhile", expected="not restarted"
    )
    yield check("log", not seen.complaint, seen.complaint or "no word of memory that ran out", expected="no such word")
    said = f"{done.answered} of {done.sent} requests at once answered in full"
    said += f"; others: {'; '.join(done.failures)}" if done.failures else ""
    yield check("burst", done.answered == done.sent, said, expected=f"{done.sent}", measured=done.answered)


def _room(seen: Full, done: Burst) -> Part:
    """At a smaller share than the guide's: what 0.95 would take more than there was free at the fullest moment."""
    name, expected = f"{GUIDE:g} of the memory", f"run at >= {GUIDE:g}"
    free = least_free(done.looks)
    if seen.share is None:
        return check(name, None, "the log does not say what share was given", expected=expected)
    if seen.share >= GUIDE:
        spare = "" if free is None else f"; {free[0]:,} MiB were free on the fullest GPU"
        return check(name, True, f"run at {seen.share:g}{spare}", expected=expected, measured=seen.share)
    if free is None:
        return check(name, None, f"run at {seen.share:g}, free memory was not read", expected=expected)
    more = (GUIDE - seen.share) * free[1]
    said = (
        f"run at {seen.share:g}; {GUIDE:g} takes {more:,.0f} MiB more, and {free[0]:,} MiB were free on the fullest GPU"
    )
    return check(name, False if more > free[0] else None, said, expected=expected, measured=f"{free[0]} MiB free")


def judge(seen: Full, inventory: Inventory) -> Finding:
    """PASS only at 0.95 or more, after a burst; at less a lack of room fails, and room enough is still UNKNOWN."""
    if inventory.hosts[0].gpu is None:
        return no_gpus(inventory, SOURCE)
    parts: tuple[Part, ...]
    if seen.burst is None:
        parts = (Part("engine", Outcome.NOT_APPLICABLE, f"the flag is vLLM's; served by {inventory.engine.kind}"),)
        free = None
    else:
        parts = (*_survived(seen, seen.burst), _room(seen, seen.burst))
        free = least_free(seen.burst.looks)
    return finding(
        parts,
        good=f"survived a burst of {seen.burst.sent if seen.burst else 0} requests at {seen.share}",
        expected=f"at --gpu-memory-utilization {GUIDE:g} a burst of full contexts is answered by the same process",
        source=SOURCE,
        threshold=f">= {GUIDE:g}",
        value=None if free is None else float(free[0]),
        unit="MiB free on the fullest GPU",
        samples=len(seen.burst.looks) if seen.burst and free else None,
    )


ASSUMPTION = Assumption(
    id="utilisation-095",
    guide="K2 Thinking guide §4.2, §7.1",
    states="95 % of the GPUs' memory can be given to vLLM without running out of memory.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Lower engine.options.gpu_memory_utilization to what survived, or bound max_num_seqs and "
    "max_num_batched_tokens, so that a step's activations and the communication buffers have room beside the cache.",
    version=1,
    observe=observe,
    judge=judge,
)
