"""Claim: effort can be set by max_tokens and temperature, as the guide's provider maps it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from statistics import mean

from assumptions._api import NOT_TOLD, TINY, ask, content, finish, rehearsed, request, spent, trouble
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from assumptions.formulas.intervals import bootstrap
from inventories.schema import Inventory
from serving.client import Client
from tasks.site import Site

STEPS = ((0.2, 2_048), (0.4, 4_096), (0.6, 8_192), (0.8, 16_384))  # guide §5.1, effort_to_params: below -> max_tokens
TOP = 32_768
LEAST, MIDDLE, MOST = 0.0, 0.5, 1.0
TIMES = 5  # runs of each setting: sampled thinking differs in length from run to run
QUESTION = "How many prime numbers lie between 100 and 200? Think it through, then give the number."
SOURCE = "K2 Thinking guide §5.1, effort_to_params; 95 % bootstrap interval of the mean difference above 0"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is sent for an effort."""

    max_tokens: int
    temperature: float
    top_p: float


@dataclass(frozen=True, slots=True)
class Run:
    """One answer: thinking tokens (None where usage does not say), whether there is an answer, why it ended."""

    status: int
    said: str
    thought: int | None
    answered: bool
    finish: str | None


@dataclass(frozen=True, slots=True)
class Efforts:
    """Unbounded, cut at half of what that thought, the least and the most effort, and one at two temperatures."""

    free: Run
    cut_at: int
    cut: Run
    least: tuple[Run, ...]
    most: tuple[Run, ...]
    cool: tuple[Run, ...]
    hot: tuple[Run, ...]


def setting(effort: float) -> Setting:
    """The guide's mapping."""
    most = next((tokens for below, tokens in STEPS if effort < below), TOP)
    return Setting(most, round(0.3 + effort * 0.6, 3), round(0.9 + effort * 0.09, 4))


def observe(site: Site, stage: Stage) -> Efforts:
    """Two requests one after the other, then each setting several times, together, but in a rehearsal."""
    inventory = site.inventory
    most = inventory.serving.context_tokens // 2
    times = 0 if rehearsed(inventory) else TIMES
    low, middle, high = (setting(effort) for effort in (LEAST, MIDDLE, MOST))
    cool, hot = replace(middle, temperature=low.temperature), replace(middle, temperature=high.temperature)

    def one(client: Client, chosen: Setting, purpose: str) -> Run:
        return _run(client, inventory, replace(chosen, max_tokens=min(chosen.max_tokens, most)), purpose)

    with served(site, stage, timeout=1_800) as at, ThreadPoolExecutor(TIMES) as pool:
        free = one(at.client, replace(high, temperature=0), "effort: unbounded")
        cut_at = max(1, (free.thought or 2) // 2)
        cut = one(at.client, Setting(cut_at, 0, high.top_p), "effort: cut inside the thinking")
        asked = [
            [pool.submit(copy_context().run, one, at.client, each, f"effort: {each}") for _ in range(times)]
            for each in (low, high, cool, hot)
        ]
        return Efforts(free, cut_at, cut, *(tuple(each.result() for each in runs) for runs in asked))


def _run(client: Client, inventory: Inventory, chosen: Setting, purpose: str) -> Run:
    body = request(
        inventory,
        QUESTION,
        thinking_token_budget=None,
        max_tokens=chosen.max_tokens,
        temperature=chosen.temperature,
        top_p=chosen.top_p,
    )
    reply = ask(client, purpose, body)
    found = trouble(reply)
    return Run(reply.status, found[1] if found else "", spent(reply), bool(content(reply)), finish(reply))


def _cut(seen: Efforts) -> Part:
    """With fewer tokens than it would think, is there an answer at all?"""
    wanted = "an answer"
    for run in (seen.free, seen.cut):
        if run.said:
            return check("cut", None if run.status in NOT_TOLD else False, run.said, expected=wanted)
    if not seen.free.thought or seen.free.thought < 2:
        return check("cut", None, f"{seen.free.thought} tokens were thought without a bound", expected=wanted)
    told = f"max_tokens {seen.cut_at} where {seen.free.thought} tokens are thought: finish {seen.cut.finish!r}, "
    said = told + ("an answer" if seen.cut.answered else "and no answer: thinking counts towards max_tokens")
    return check("cut", seen.cut.answered, said, expected=wanted, measured=seen.cut.answered)


def _grows(name: str, less: Sequence[Run], more: Sequence[Run], inventory: Inventory) -> Part:
    """More thinking with `more` than with `less`, beyond what chance gives."""
    wanted = "a mean difference above 0 tokens"
    if rehearsed(inventory):
        return check(name, None, f"{TINY}: it thinks 96 tokens whatever it is asked", expected=wanted)
    pairs = [(a.thought, b.thought) for a, b in zip(less, more, strict=True)]
    known = [b - a for a, b in pairs if a is not None and b is not None]
    if len(known) < len(pairs) or len(known) < TIMES:
        return check(name, None, f"{len(known)} of {TIMES} pairs tell thinking tokens", expected=wanted)
    low, high = bootstrap([float(each) for each in known], mean)
    holds = True if low > 0 else False if high <= 0 else None
    said = f"{mean(known):.0f} tokens more ({low:.0f} to {high:.0f}) over {len(known)} pairs"
    return check(name, holds, said, expected=wanted, measured=f"{mean(known):.0f}")


def judge(seen: Efforts, inventory: Inventory) -> Finding:
    """An answer whatever max_tokens is, more thinking with more effort, and more by temperature alone."""
    return finding(
        (
            _cut(seen),
            _grows("more effort", seen.least, seen.most, inventory),
            _grows("more temperature", seen.cool, seen.hot, inventory),
        ),
        good="more effort is more thinking, and there is an answer whatever max_tokens is",
        expected="an answer within max_tokens; more thinking with more effort",
        source=SOURCE,
        value=None if seen.free.thought is None else float(seen.free.thought),
        unit="thinking tokens without a bound",
        notes=("Temperature and top_p change which token is drawn; no field of theirs bounds the thinking.",),
    )


ASSUMPTION = Assumption(
    id="effort-by-max-tokens",
    guide="K2 Thinking guide §5.1",
    states="Effort can be set by max_tokens (2,048 to 32,768), temperature and top_p.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Set thinking_token_budget from the effort and leave room for the answer in max_tokens, as "
    "serving/effort.py does; keep the vendor's temperature and top_p.",
    version=1,
    observe=observe,
    judge=judge,
)
