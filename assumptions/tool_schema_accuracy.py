"""Claim: the arguments of tool calls satisfy the tools' schemas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._quality import made_up, rate_part
from assumptions._quality_requests import RequestSet, own_set, vendor_set
from assumptions._quality_tools import Played, play, protocol
from assumptions._served import served
from assumptions.formulas.intervals import wilson
from inventories.schema import Inventory
from tasks.site import Site

FLOOR = 0.9552  # SGLang in the vendor's table: the best of the open engines; its own service has 100 %
SOURCE = (
    "K2 Vendor Verifier README (MoonshotAI/K2-Vendor-Verifier), kimi-k2-thinking of 2025-11-15: schema_accuracy "
    "95.52 % with SGLang, 87.22 % with vLLM, 100 % with the vendor's own service"
)
ROUNDS = 6  # 96 calls where each request that should call does: with fewer even 100 % could be less than the floor
REHEARSED = ("weather", "lights", "file")  # one forced call each: the checkpoint calls nothing by itself


@dataclass(frozen=True, slots=True)
class Called:
    """The answers to the own set's requests that need a tool, and to the vendor's set where one is declared."""

    own: Played
    vendor: Played | None


def observe(site: Site, stage: Stage) -> Called:
    """The own set several times, the vendor's once; in a rehearsal a few calls, forced and strict."""
    calling = replace(own_set(), requests=tuple(each for each in own_set().requests if each.calls))
    published = vendor_set(site, results=False)
    with served(site, stage, timeout=900) as at:
        if site.inventory.kind == "rehearsal":
            return Called(play(at.client, _forced(calling), site.inventory, thinking_token_budget=16), None)
        own = play(at.client, calling, site.inventory, rounds=ROUNDS)
        return Called(own, play(at.client, published, site.inventory) if published else None)


def _forced(asked: RequestSet) -> RequestSet:
    """The first tool of each, by name and strictly: a grammar writes the arguments."""
    found = []
    for each in asked.requests:
        if each.id in REHEARSED:
            function = {**each.body["tools"][0]["function"], "strict": True}
            named = {"type": "function", "function": {"name": function["name"]}}
            tools = [{"type": "function", "function": function}]
            found.append(replace(each, body={**each.body, "tools": tools, "tool_choice": named}))
    return replace(asked, requests=tuple(found))


def _calls(played: Played) -> tuple[int, int]:
    called = [turn for turn in played.turns if turn.valid is not None]
    return sum(bool(turn.valid) for turn in called), len(called)


def _parts(seen: Called, made: tuple[Part, ...]) -> Iterator[Part]:
    for played in filter(None, (seen.own, seen.vendor)):
        yield from protocol(played)
        hits, of = _calls(played)
        wrong = next((f"{turn.request}: {turn.why}" for turn in played.turns if turn.valid is False), "")
        said = f"calls that satisfy their schema{'; not ' + wrong if wrong else ''}"
        if made:
            name, holds = f"{played.source}: forced calls", hits == of if of else None
            yield check(name, holds, f"{hits} of {of} {said}", expected="all", measured=hits)
        else:
            yield rate_part(f"{played.source}: schema", hits, of, FLOOR, said)
    yield from made


def judge(seen: Called, inventory: Inventory) -> Finding:
    """The lower end of the rate reaches the best open engine's; every call is told as one."""
    made = tuple(made_up(inventory))
    parts = tuple(_parts(seen, made))
    hits, of = _calls(seen.vendor or seen.own)
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"{hits} of {of} calls satisfy their schema"),
        expected=f">= {FLOOR:.2%} of the calls",
        measured=f"{hits} of {of} calls",
        threshold=f">= {FLOOR}",
        threshold_source=SOURCE,
        provenance=Provenance.MEASURED_HERE,
        value=round(hits / of, 4) if of else None,
        unit="of the calls" if of else "",
        parts=parts,
        samples=of,
        interval=wilson(hits, of) if of else None,
        limit=None if made else FLOOR,
        notes=() if made or seen.vendor else ("The vendor's published requests (quality.vendor_set) were not asked.",),
    )


ASSUMPTION = Assumption(
    id="tool-schema-accuracy",
    guide="K2 Thinking guide §1.3",
    states="The arguments of tool calls satisfy their tools' schemas as often as the vendor's table asks for.",
    stages=(Stage.LIVE,),
    severity=Severity.ADVISORY,
    remedy="Serve with a newer engine and --tool-call-parser kimi_k2, ask for strict tools (guided decoding), and keep "
    "the ids of earlier calls as functions.NAME:INDEX; name the vendor's requests in quality.vendor_set for a larger "
    "sample.",
    version=1,
    observe=observe,
    judge=judge,
)
