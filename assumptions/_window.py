"""What went on around a measurement of time: the GPUs' clocks, the engine's log and counters, and the client itself.

Looked at right before and right after; `_void.py` judges whether the figures between are worth anything.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

from assumptions._host import attempt, each, gpu_hosts
from serving.closed_loop import Load, own_load
from tasks.engines.base import engine
from tasks.facts.engine_metrics import read, samples
from tasks.facts.gpu_throttle import GpuThrottleTotals, GpuThrottleTotalsFact
from tasks.facts.reading import Reading
from tasks.releases import Slot
from tasks.runtimes.base import runtime
from tasks.site import Site

Totals = Reading[tuple[GpuThrottleTotals, ...]]
BEGAN = "process_start_time_seconds"
ANCHOR = 4_000  # characters of a log's end by which its growth is found where only its first and last part are read
# vLLM: utils/jit_monitor.py, compilation/, v1/worker; Triton's own line when it tunes; SGLang: "Capture cuda graph".
COMPILING = re.compile(
    r"[^\n]*(?:during inference: |torch\.compile|[Cc]ompil(?:e|ing) (?:a graph|and warming up|model again)"
    r"|[Dd]ynamo bytecode|[Cc]aptur(?:e|ing) [^\n]*graph|[Gg]raph capturing|[Aa]utotuning for function)[^\n]*"
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the engine counted so far; None where it does not tell.  `engines` are those that answer behind its port."""

    began: float | None
    engines: int
    in_flight: float | None
    requests: float | None
    tokens: float | None


@dataclass(frozen=True, slots=True)
class Window:
    """What was seen before and after; `requests` and `tokens` are our own, `tokens` None where an answer told none.

    `compiled`: lines of compiling or capturing that the log grew by; None where its growth can't be told.
    """

    seconds: float
    requests: int
    tokens: int | None
    before: Counts | None
    after: Counts | None
    clocks: Mapping[str, tuple[Totals, Totals]]
    compiled: tuple[str, ...] | None
    client: Load


class Watch:
    """What a window has seen once it has ended."""

    def __init__(self) -> None:
        self.seen: tuple[float, Load, Moment, Moment] | None = None

    def window(self, requests: int, tokens: int | None) -> Window:
        """With our own requests in it, and the tokens of their prompts and answers."""
        if self.seen is None:
            raise ValueError("the window has not ended")
        seconds, load, before, after = self.seen
        clocks = {name: (totals, after.clocks[name]) for name, totals in before.clocks.items()}
        compiled = compiling(before.log, after.log)
        return Window(seconds, requests, tokens, before.counts, after.counts, clocks, compiled, load)


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at all of it."""

    clocks: Mapping[str, Totals]
    log: str
    counts: Counts | None


@contextmanager
def watched(site: Site, slot: Slot, *, live: bool = False) -> Iterator[Watch]:
    """A look, what is measured, and another look; the client's own clock runs between.

    Meanwhile nobody of this run asks the live engine whether it still answers: what is measured tells that too.
    """
    watch = Watch()
    with ExitStack() as stack:
        stack.enter_context(site.undisturbed if live else nullcontext())
        before = _look(site, slot)
        with own_load() as load:
            began = time.monotonic()
            yield watch
            seconds = time.monotonic() - began
        watch.seen = seconds, load(), before, _look(site, slot)


def _look(site: Site, slot: Slot) -> Moment:
    """The counters are read last before and first after, so that what else is asked is not inside."""
    clocks = each(site, gpu_hosts(site.inventory), lambda host, _: attempt(host, GpuThrottleTotalsFact(), timeout=30))
    return Moment(clocks, runtime(site.inventory).log(site, slot), _counts(site, slot))


def _counts(site: Site, slot: Slot) -> Counts | None:
    with site.client(slot.port, timeout=30) as client:
        reply = client.expecting(200, "counters around a measurement").call("GET", "/metrics", timeout=30)
    return counts(reply.text, site.inventory.engine.kind) if reply.status == 200 else None


def counts(text: str, kind: str) -> Counts | None:
    """From Prometheus' text, in one engine's names; None where it is none."""
    names = engine(kind).metrics
    try:
        told, every = read(text, names), list(samples(text))
    except ValueError:
        return None
    began = next((value for name, _, value in every if name == BEGAN), None)
    engines = {labels.get("engine", "") for name, labels, _ in every if name == names.running}
    busy = (told.running, told.waiting)
    work = (told.prompt_tokens, told.generation_tokens)
    return Counts(
        began=began,
        engines=len(engines),
        in_flight=None if None in busy else sum(each or 0.0 for each in busy),
        requests=told.first_token_count,
        tokens=None if None in work else sum(each or 0.0 for each in work),
    )


def compiling(before: str, after: str) -> tuple[str, ...] | None:
    """The lines of compiling or capturing in what a log grew by; None where that can't be told."""
    end = before[-ANCHOR:]
    at = after.rfind(end) if end else 0
    if at < 0:
        return None
    return tuple(line[0].strip()[:200] for line in COMPILING.finditer(after[at + len(end) :]))
