"""Claim: what stands anywhere in a long context is found again."""

from __future__ import annotations

from collections.abc import Iterator

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._quality import made_up, rate_part
from assumptions._quality_needles import found
from assumptions._quality_recall import Asked, Recall, recalled
from assumptions.formulas.intervals import wilson
from inventories.schema import Inventory
from serving.degenerate import degenerate
from tasks.site import Site

GUIDE_TOKENS = 262_144  # "256K"; the guide's own command line says 256,000
FLOOR = 0.856  # "satisfactory" in RULER: what Llama2-7B reaches at 4K, its own window
SOURCE = "RULER (arXiv 2404.06654, NVIDIA/RULER README): 85.6 %, Llama2-7B at 4K, is what counts as satisfactory"


def observe(site: Site, stage: Stage) -> Recall:
    """At each length one text, and a question for each depth; its tokens are counted by the engine's own route."""
    return recalled(site, stage)


def _protocol(seen: Recall) -> Iterator[Part]:
    """Every token that was sent was counted, and something was said."""
    refused = [one for one in seen.asked if one.status != 200]
    said = f"{len(seen.asked) - len(refused)} of {len(seen.asked)} answered"
    said += f"; {refused[0].status}: {refused[0].message[:120]}" if refused else ""
    holds = None if any(one.status >= 500 or one.status == 429 for one in refused) else not refused
    yield check("accepted", holds, said, expected="200", measured=len(seen.asked) - len(refused))
    answered = [one for one in seen.asked if one.status == 200]
    counted = [one for one in answered if one.prompt_tokens is not None]
    cut = [one for one in counted if one.prompt_tokens != one.sent_tokens]
    said = f"usage counts what was sent in {len(counted) - len(cut)} of {len(answered)} answers"
    said += f"; {cut[0].prompt_tokens} of {cut[0].sent_tokens} tokens in one" if cut else ""
    whole = False if cut else True if answered and len(counted) == len(answered) else None
    yield check("nothing cut off", whole, said, expected="prompt_tokens as sent", measured=len(counted) - len(cut))
    broken = [why for one in answered if (why := degenerate(one.content or one.thinking))]
    said = f"in {len(broken)} of {len(answered)}: {broken[0]}" if broken else f"{len(answered)} answers can be read"
    yield check("an answer", not broken if answered else None, said, expected="text", measured=len(broken))


def _hits(asked: list[Asked]) -> tuple[int, int]:
    """Found of asked; what an answer that was cut off did not come to is not counted."""
    hits = [(found(one.content, one.needles), len(one.needles), one.finish == "length") for one in asked]
    return sum(hit for hit, _, _ in hits), sum(hit if cut else of for hit, of, cut in hits)


def _quality(seen: Recall) -> Iterator[Part]:
    for share in dict.fromkeys(one.share for one in seen.asked):
        group = [one for one in seen.asked if one.share == share and one.status == 200]
        tokens = max((one.sent_tokens for one in group), default=0)
        yield rate_part(f"{tokens:,} tokens", *_hits(group), FLOOR, "numbers found")
    if seen.declared < GUIDE_TOKENS:
        said = f"{seen.declared:,} tokens are declared: nothing was seen of {GUIDE_TOKENS:,}"
        yield check("guide's length", None, said, expected=f"{GUIDE_TOKENS:,} tokens")


def judge(seen: Recall, inventory: Inventory) -> Finding:
    """At each length the lower end of the rate reaches RULER's; every token counted, and answers that can be read."""
    made = tuple(made_up(inventory))
    parts = (*_protocol(seen), *(made or _quality(seen)))
    hits, of = _hits([one for one in seen.asked if one.status == 200])
    longest = max((one.sent_tokens for one in seen.asked), default=0)
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"{hits} of {of} numbers found, up to {longest:,} tokens"),
        expected=f">= {FLOOR:.1%} of the hidden numbers at every length and depth",
        measured=f"{hits} of {of} up to {longest:,} tokens",
        threshold=f">= {FLOOR}",
        threshold_source=SOURCE,
        provenance=Provenance.MEASURED_HERE,
        value=None if made or not of else round(hits / of, 4),
        unit="" if made or not of else "of the numbers",
        parts=parts,
        samples=of,
        interval=None if made or not of else wilson(hits, of),
        limit=None if made else FLOOR,
    )


ASSUMPTION = Assumption(
    id="context-recall",
    guide="K2 Thinking guide §1.2, §9",
    states="What stands at any depth of a context of up to 256K tokens is found again.",
    stages=(Stage.LIVE,),
    severity=Severity.ADVISORY,
    remedy="Declare no longer context than one at which this holds; compare the rope scaling in config.json with the "
    "vendor's, try another attention backend and KV cache type (an fp8 cache costs recall first).",
    version=1,
    observe=observe,
    judge=judge,
)
