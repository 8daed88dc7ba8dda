"""Claim: the benchmark scores are verified.  What the vendor publishes, and whether anybody measured here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Outcome, Part, Provenance, Sense, Severity, Stage
from assumptions._paper import GUIDE, finding
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.site import Site

SAID = {  # K2 Thinking guide §1.3, per cent
    "BrowseComp": 60.2,
    "GPQA Diamond": 85.7,
    "HLE": 44.9,
    "SWE-Bench Verified": 71.3,
    "LiveCodeBench v6": 83.1,
    "SEAL-0": 45.6,
}
PUBLISHED = {  # the vendor's own table; HLE, BrowseComp, Seal-0 and SWE-bench with tools
    "BrowseComp": 60.2,
    "GPQA Diamond": 84.5,
    "HLE": 44.9,
    "SWE-Bench Verified": 71.3,
    "LiveCodeBench v6": 83.1,
    "SEAL-0": 56.3,
}
SOURCE = "www.kimi.ai/blog/kimi-k2-thinking, as read on 2026-09-01"
TOLERANCE = 0.05  # points: both print tenths
BELOW = 2.0  # points, assumed: how far under the score the lower end of a measurement may lie


@dataclass(frozen=True, slots=True)
class Scores:
    """Per cent by benchmark: what is said, what the vendor publishes, and what was measured on these weights."""

    said: Mapping[str, float]
    published: Mapping[str, float]
    measured: Mapping[str, tuple[float, float]]  # the ends of a 95 % interval
    source: str


def observe(site: Site, stage: Stage) -> Scores:
    """The two tables; nothing was measured on the weights that this plan would serve."""
    return Scores(SAID, PUBLISHED, {}, SOURCE)


def _parts(seen: Scores) -> Iterator[Part]:
    for name, said in seen.said.items():
        published, found = seen.published.get(name), seen.measured.get(name)
        right = None if published is None else abs(published - said) <= TOLERANCE
        why = "the vendor publishes none" if published is None else f"the vendor publishes {published:g} %"
        yield check(f"{name}: quoted", right, why, expected=f"{said:g} %", measured=published)
        ends = "not measured" if found is None else f"{found[0]:g} to {found[1]:g} %"
        yield check(f"{name}: measured", _reached(found, said), ends, expected=f">= {said:g} %", measured=ends)


def _reached(found: tuple[float, float] | None, said: float) -> bool | None:
    """None where nothing was measured, or too coarsely to tell."""
    if found is None:
        return None
    return False if found[1] < said else True if found[0] >= said - BELOW else None


def judge(seen: Scores, _inventory: Inventory) -> Finding:
    """Each score against the vendor's table, and against a measurement whose interval must reach it."""
    parts = tuple(_parts(seen))
    wrong = [part.name.partition(":")[0] for part in parts if part.outcome is Outcome.FAIL]
    return finding(
        parts,
        good="each score is the vendor's and was reached here",
        expected=f"{len(seen.said)} scores as the vendor publishes them, each reached by a measurement",
        measured=f"{len(wrong)} scores wrong ({', '.join(wrong)}), {len(seen.measured)} measured"
        if wrong
        else "none wrong",
        threshold=f"+- {TOLERANCE:g} points of the vendor's; a 95 % interval that reaches it, from {BELOW:g} below",
        source=f"{GUIDE} §1.3; {seen.source}; assumed: {BELOW:g} points, as no scatter is published",
        value=float(len(wrong)),
        unit="scores wrong",
        limit=0.0,
        sense=Sense.MOST,
        notes=("the scores of the compared models were not checked; those of the vendor's are its own word",),
        provenance=Provenance.MEASURED_HERE if seen.measured else Provenance.VENDOR,
    )


ASSUMPTION = Assumption(
    id="vendor-benchmarks",
    guide=f"{GUIDE} §1.3",
    states="Kimi K2 Thinking reaches the six benchmark scores that the guide calls verified.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Quote the vendor's own table (GPQA Diamond 84.5, Seal-0 56.3). The cheapest experiment: GSM8K and the "
    "public half of K2-Vendor-Verifier against a rented endpoint of the same weights, an hour or two.",
    version=1,
    observe=observe,
    judge=judge,
)
