"""Claim: 200 to 300 tool calls, one after another, without losing the thread."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._quality import made_up
from assumptions._quality_chain import Chain, walk
from assumptions._served import served
from inventories.schema import Inventory
from tasks.site import Site

FLOOR, STEPS = 200, 300  # guide §1.3: "200-300 sequential tool calls"
WALKS = 3  # at once; one walk can be lost by chance at temperature 1
TOKENS_A_TURN = 400  # thinking, call and result: 300 turns take 120,000 of the context
MOST_TOKENS, BUDGET = 512, 200  # of one turn, and of its thinking
REHEARSED = 4  # turns


@dataclass(frozen=True, slots=True)
class Walked:
    """Every walk, and how many steps the declared context has room for."""

    room: int
    walks: tuple[Chain, ...]


def observe(site: Site, stage: Stage) -> Walked:
    """Three chains of 300 keys side by side; in a rehearsal a few turns whose calls are forced."""
    room = min(STEPS, site.inventory.serving.context_tokens // TOKENS_A_TURN)
    with served(site, stage, timeout=600) as at:
        if site.inventory.kind == "rehearsal":
            return Walked(room, (walk(at.client, 0, REHEARSED, forced=True, most_tokens=128, budget=8),))
        with ThreadPoolExecutor(WALKS) as pool:

            def one(seed: int) -> Chain:
                return walk(at.client, seed, room, forced=False, most_tokens=MOST_TOKENS, budget=BUDGET)

            futures = [pool.submit(copy_context().run, one, seed) for seed in range(WALKS)]
            return Walked(room, tuple(future.result() for future in futures))


def _protocol(seen: Walked) -> Iterator[Part]:
    """Every turn's call can be read, and a conversation of so many turns is taken."""
    for number, one in enumerate(seen.walks, start=1):
        said = f"{one.turns} turns: {one.broken or one.ended}"
        lost = one.status in (0, 408, 429) or one.status >= 500
        holds = None if lost or not one.turns else not one.broken
        yield check(f"walk {number}: turns", holds, said, expected="calls that can be read", measured=one.turns)


def _quality(seen: Walked) -> Iterator[Part]:
    """All walks reach the guide's lower figure, or none does; between them nothing is known."""
    if seen.room < FLOOR:
        said = f"the declared context has room for {seen.room} calls"
        yield check("calls in a row", None, said, expected=f">= {FLOOR}", measured=seen.room)
        return
    counted = [one for one in seen.walks if one.status == 200]
    right = [one.right for one in counted]
    enough = sum(each >= FLOOR for each in right)
    whole = len(counted) == len(seen.walks) and bool(counted)
    holds = True if whole and enough == len(right) else False if whole and not enough else None
    said = f"{', '.join(map(str, right)) or 'no'} right calls in a row; the shortest walk: "
    said += min(counted, key=lambda one: one.right).ended if counted else "none was finished"
    yield check("calls in a row", holds, said, expected=f">= {FLOOR} in each", measured=min(right, default=0))


def judge(seen: Walked, inventory: Inventory) -> Finding:
    """Every walk makes at least 200 right calls in a row; FAIL only where none of them does."""
    made = tuple(made_up(inventory))
    parts = (*_protocol(seen), *(made or _quality(seen)))
    right = [one.right for one in seen.walks]
    least = min(right, default=0)
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"{', '.join(map(str, right))} right calls in a row"),
        expected=f">= {FLOOR} right calls in a row, in each of {WALKS} walks",
        measured=f"{', '.join(str(one.turns) for one in seen.walks)} turns",
        threshold=f">= {FLOOR}",
        threshold_source="guide §1.3: 200 to 300; assumed: a chain of keys stands for them, because it can be counted",
        provenance=Provenance.MEASURED_HERE,
        value=None if made else float(least),
        unit="" if made else "calls",
        parts=parts,
        samples=len(seen.walks),
        limit=None if made else float(FLOOR),
        notes=() if made else ("A chain shows that the thread is kept, not that the calls are wise.",),
    )


ASSUMPTION = Assumption(
    id="tool-calls-300",
    guide="K2 Thinking guide §1.3",
    states="200 to 300 sequential tool calls are made without human interference.",
    stages=(Stage.LIVE,),
    severity=Severity.ADVISORY,
    remedy="Send each turn's thinking back with its call, keep the ids as functions.NAME:INDEX, serve with "
    "--tool-call-parser kimi_k2, and declare a context of 120,000 tokens at least.",
    version=1,
    observe=observe,
    judge=judge,
)
