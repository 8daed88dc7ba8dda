"""Claim: PagedAttention takes 60 % off the KV cache's memory.  It saves what was reserved and never used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._paper import GUIDE, GUIDE_MODEL, finding
from assumptions._parts import check
from assumptions.formulas.memory import GIB, UnsupportedConfig, kv_bytes_per_token_per_rank, read
from assumptions.formulas.question import BLOCK
from inventories.figures import model
from inventories.schema import Inventory
from tasks.site import Site

SAID_SHARE = 0.60  # K2 Thinking guide §2.1 (Revised Recommendation, 1) and §3.3
CONTEXT_TOKENS, REQUESTS = 262_144, 4  # §2.1, Reasoning, 3: "256K context @ batch size 4"
PAPER = (
    "the paper (arXiv 2309.06180) measures waste in systems that reserve the longest request at once: 20 to 38 % of "
    "their KV memory held tokens; a token's own bytes are the same with paging and without"
)


@dataclass(frozen=True, slots=True)
class Paging:
    """What is said, the longest request that is reserved, and how long requests are; None where nobody measured it."""

    said_share: float
    config: Mapping[str, Any]
    reserved_tokens: int
    requests: int
    request_tokens: int | None
    source: str


def observe(site: Site, stage: Stage) -> Paging:
    """The guide's own plan: four requests of the whole context."""
    known = model(GUIDE_MODEL)
    return Paging(
        SAID_SHARE,
        known.read_config(),
        CONTEXT_TOKENS,
        REQUESTS,
        CONTEXT_TOKENS,
        f"{known.title}: {known.params.source}",
    )


def saved(seen: Paging, request_tokens: int) -> float:
    """The share of a reservation for the longest request that a request of this length leaves free."""
    blocks = -(-request_tokens // BLOCK) * BLOCK
    return max(0.0, 1 - blocks / seen.reserved_tokens)


def _part(seen: Paging) -> Part:
    expected = f">= {seen.said_share:.0%}"
    if seen.request_tokens is None:
        return check("saving", None, "how long the requests are was not measured", expected=expected)
    share = saved(seen, seen.request_tokens)
    why = f"requests of {seen.request_tokens:,} of {seen.reserved_tokens:,} tokens leave {share:.0%} free"
    return check("saving", share >= seen.said_share - 0.005, why, expected=expected, measured=f"{share:.1%}")


def judge(seen: Paging, _inventory: Inventory) -> Finding:
    """What paging saves for requests of the planned length, against reserving the longest for each."""
    part = _part(seen)
    try:
        each = kv_bytes_per_token_per_rank(read(seen.config), tp=1)
        size = f"{each:,} bytes a token: {each * seen.reserved_tokens * seen.requests / GIB:.1f} GiB on every rank for "
        size += f"{seen.requests} x {seen.reserved_tokens:,} tokens, paged or not"
    except UnsupportedConfig as refusal:
        size = f"bytes a token not known: {refusal}"
    return finding(
        (part,),
        good=part.because,
        expected=part.expected,
        measured=part.measured or "not measured",
        threshold=f"{part.expected}, to whole per cent",
        source=f"{GUIDE} §2.1 and §3.3; arithmetic on blocks of {BLOCK} tokens",
        value=round(saved(seen, seen.request_tokens) * 100, 1) if seen.request_tokens is not None else None,
        unit="% of the reservation",
        limit=seen.said_share * 100 - 0.5,
        notes=(size, PAPER, seen.source),
    )


ASSUMPTION = Assumption(
    id="kv-saving-by-paging",
    guide=f"{GUIDE} §2.1, §3.3",
    states="PagedAttention takes about 60 % off the KV cache that the plan needs.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Size the KV cache by its bytes a token and the context, as memory-fit does; paging is in that already.",
    version=1,
    observe=observe,
    judge=judge,
)
