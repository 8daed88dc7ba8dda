"""Claim: the model calls a tool when the vendor's own service does, and not otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._quality import HOW, made_up
from assumptions._quality_requests import own_set, vendor_set
from assumptions._quality_tools import Played, play, protocol
from assumptions._served import served
from assumptions.formulas.agreement import Counts, f1, f1_interval
from assumptions.formulas.intervals import at_least
from inventories.schema import Inventory
from tasks.site import Site

FLOOR = 0.73
SOURCE = (
    "K2 Vendor Verifier README (MoonshotAI/K2-Vendor-Verifier): tool_call_f1 above 73 % is acceptable for "
    "kimi-k2-thinking; the vendor's own service reaches 75.81 to 76 % against itself"
)
ROUNDS = 2
REHEARSED = ("weather", "greeting", "second-step")


@dataclass(frozen=True, slots=True)
class Triggered:
    """The answers to the own requests, and to the published ones whose outcome the vendor told."""

    own: Played
    vendor: Played | None


def observe(site: Site, stage: Stage) -> Triggered:
    """The own set, where a tool is or is not needed, and the vendor's set where its results are declared."""
    made = site.inventory.kind == "rehearsal"
    own = own_set()
    published = vendor_set(site, results=True)
    with served(site, stage, timeout=900) as at:
        if made:
            few = replace(own, requests=tuple(each for each in own.requests if each.id in REHEARSED))
            return Triggered(play(at.client, few, site.inventory, thinking_token_budget=16), None)
        asked = play(at.client, own, site.inventory, rounds=ROUNDS)
        return Triggered(asked, play(at.client, published, site.inventory) if published else None)


def counts(played: Played) -> Counts:
    """By finish_reason, as the vendor counts; unanswered requests and those that nobody decided are left out."""
    pairs = [(t.finish == "tool_calls", t.wanted) for t in played.turns if t.status == 200 and t.wanted is not None]
    return Counts(*(pairs.count(each) for each in ((True, True), (True, False), (False, True), (False, False))))


def _agreement(name: str, played: Played, source: str) -> Part:
    found = counts(played)
    low, high = f1_interval(found)
    said = (
        f"F1 over {found.trials} answers, 95 % from {low:.3f} to {high:.3f}; called without need {found.ours_alone}, "
    )
    said += f"not called {found.theirs_alone} ({source})"
    score = f1(found)
    measured = "nothing" if score is None else f"{score:.4f}"
    return check(name, at_least((low, high), FLOOR), said, expected=f">= {FLOOR}", measured=measured)


def _parts(seen: Triggered, made: tuple[Part, ...]) -> Iterator[Part]:
    for played in filter(None, (seen.own, seen.vendor)):
        yield from protocol(played)
    if made:
        yield from made
        return
    yield _agreement("own requests", seen.own, "decided by hand")
    if seen.vendor is None:
        said = f"quality.vendor_set and vendor_results are not declared: nothing of the vendor's own is known ({HOW})"
        yield check("vendor's requests", None, said, expected=f"F1 >= {FLOOR}")
    else:
        yield _agreement("vendor's requests", seen.vendor, "the vendor's results")


def judge(seen: Triggered, inventory: Inventory) -> Finding:
    """F1 by its lower end against the vendor's own results; the own requests can fail it, and alone never pass it."""
    made = tuple(made_up(inventory))
    parts = tuple(_parts(seen, made))
    found = counts(seen.vendor or seen.own)
    score = None if made else f1(found)
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"F1 {score or 0:.3f} with the vendor's own results"),
        expected=f"tool_call_f1 >= {FLOOR} with the vendor's own results",
        measured="nothing" if score is None else f"F1 {score:.3f} over {found.trials} answers",
        threshold=f">= {FLOOR}",
        threshold_source=SOURCE,
        provenance=Provenance.MEASURED_HERE,
        value=None if score is None else round(score, 4),
        unit="" if score is None else "F1",
        parts=parts,
        samples=found.trials,
        interval=None if score is None else f1_interval(found),
        limit=None if made else FLOOR,
    )


ASSUMPTION = Assumption(
    id="tool-trigger-agreement",
    guide="K2 Thinking guide §1.3",
    states="The served model calls a tool when the vendor's own service does, and not otherwise.",
    stages=(Stage.LIVE,),
    severity=Severity.ADVISORY,
    remedy="Name the published requests and the vendor's results (quality.vendor_set, vendor_results). Where it fails, "
    "compare the chat template with the hub's newest, and the ids of earlier calls: functions.NAME:INDEX.",
    version=1,
    observe=observe,
    judge=judge,
)
