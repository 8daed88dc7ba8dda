"""Ready means: a real completion came back.  /health alone answers before and after the model is usable."""

from __future__ import annotations

import time
from collections.abc import Callable

from inventories.errors import Problem
from serving.client import ServingError
from serving.degenerate import degenerate
from tasks.engines.base import engine
from tasks.facts.engine_log import fatal_line
from tasks.releases import Slot
from tasks.runtimes.base import Runtime
from tasks.site import Site
from tasks.trail import tail

FIRST_REQUEST_S = 300.0  # a first request may compile; kernels have been seen to take 42 s (NVIDIA/aicr#1196)
PROMPT, PROMPT_TOKENS = "Say one sentence.", 48


class EngineDied(Problem):
    """The engine's process ended before it answered."""


class NotReady(Problem):
    """The engine runs, and gave no usable completion within its budget."""


def answers(
    site: Site, port: int, *, timeout: float = FIRST_REQUEST_S, say: Callable[[str], None] = lambda _: None
) -> None:
    """One completion that isn't empty and hasn't fallen into a loop; raises NotReady."""
    try:
        with site.client(port, timeout=timeout) as client:
            answer = client.chat(PROMPT, max_tokens=PROMPT_TOKENS, temperature=0, timeout=timeout)
    except ServingError as error:
        raise NotReady(
            f"no completion: {error}",
            where=f"{site.head.name}: port {port}",
            fix="read the engine's log on the host; the candidate is taken away, what is live stays",
        ) from None
    why = "no token was generated" if not answer.completion_tokens else degenerate(answer.thinking + answer.content)
    if why is not None:
        raise NotReady(
            f"the completion is none: {why}",
            where=f"{site.head.name}: port {port}",
            fix="the engine answers and the model does not: check quantisation kernels and the weights' digests",
        )
    say(f"{site.head.name}: port {port} answers ({answer.completion_tokens} tokens)")


def wait_ready(site: Site, runtime: Runtime, slot: Slot, *, budget_s: float, say: Callable[[str], None]) -> None:
    """Until the engine answers a completion; raises EngineDied with the log's own words, or NotReady at the budget."""
    began, said = time.monotonic(), ""
    while time.monotonic() - began < budget_s:
        if _healthy(site, slot.port):
            answers(site, slot.port, say=say)
            return
        state = runtime.state(site, slot)
        if not state.running or state.restarts:
            raise died(site, slot, runtime.log(site, slot))
        line = runtime.last_line(site, slot)
        if line != said:
            said = line
            say(f"{site.head.name}: engine starts, {time.monotonic() - began:.0f} s: {line[-120:]}")
        time.sleep(2)
    raise NotReady(
        f"no answer within {budget_s:.0f} s; its log ends: {tail(runtime.log(site, slot), 4)}",
        where=f"{site.head.name}: release {slot.release}, port {slot.port}",
        fix="raise serving.start_budget_s if it was still loading, else mend what the log says",
    )


def died(site: Site, slot: Slot, log: str) -> EngineDied:
    """The engine's own last words, as an error to raise."""
    why = fatal_line(log, engine(site.inventory.engine.kind).log)
    return EngineDied(
        f"the engine ended at start: {why or tail(log, 4) or 'its log is empty'}",
        where=f"{site.head.name}: release {slot.release}, port {slot.port}",
        fix="mend what the engine says (flags, memory, weights) and run again; nothing was promoted",
    )


def _healthy(site: Site, port: int) -> bool:
    try:
        with site.client(port, timeout=10) as client:
            return client.call("GET", "/health", key=False, timeout=10).status == 200
    except ServingError:
        return False
