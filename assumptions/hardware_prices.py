"""Claim: the machines cost what the strategy prints.  Against dated prices that are not its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._paper import finding
from assumptions._parts import check
from assumptions._strategy import GUIDE, MAC_ID, NODE_ID, of_a_purchase, usd
from inventories.machines import machine
from tasks.site import Site

B200_ID = "b200x8"
LEAST_QUOTES = 2  # assumed: one dealer's price outside the range proves nothing about the others'
DAYS = 730  # assumed: prices of this hardware moved by a half and more in two years


@dataclass(frozen=True, slots=True)
class Quote:
    """A price of the same machine from elsewhere, with its day."""

    low_usd: float
    high_usd: float
    as_of: date
    source: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One machine: the strategy's range, what others ask, and since when it can't be bought."""

    name: str
    said_usd: tuple[float, float]
    quotes: tuple[Quote, ...]
    withdrawn: date | None
    withdrawn_source: str


@dataclass(frozen=True, slots=True)
class Prices:
    """The strategy's three machines, as of a day."""

    machines: tuple[Asked, ...]
    as_of: date


AS_OF = date(2026, 11, 22)
GONE = "arstechnica.com/gadgets/2026/03/apples-512gb-mac-studio-vanishes-a-quiet-acknowledgement-of-the-ram-shortage"
A100_QUOTES = (
    Quote(150_000, 200_000, date(2025, 6, 1), "new DGX A100 640 GB, a public overview of 2025 (address not kept)"),
)
A100_NOTE = "8x A100: cards alone are 8 x 15,000 (huggingface.co/hardware/a100), so that 250,000 would be mostly server"
B200_QUOTES = (Quote(515_000, 515_000, date(2025, 3, 16), "a DGX B200, vengineer.hatenablog.com of that day"),)


def observe(site: Site, stage: Stage) -> Prices:
    """The catalog's ranges, which are the strategy's, and dated prices from elsewhere; no shop is asked."""
    said = {}
    for id in (MAC_ID, NODE_ID, B200_ID):
        span = machine(id).hardware_usd
        if span is not None:
            said[id] = (span.low, span.high)
    return Prices(
        (
            Asked("Mac Studio M3 Ultra 512 GB", said[MAC_ID], (), date(2026, 3, 8), GONE),
            Asked("8x A100", said[NODE_ID], A100_QUOTES, None, ""),
            Asked("8x B200", said[B200_ID], B200_QUOTES, None, ""),
        ),
        AS_OF,
    )


def _parts(seen: Prices) -> Iterator[Part]:
    for each in seen.machines:
        low, high = each.said_usd
        expected = f"{usd(low)} to {usd(high)}"
        if each.withdrawn is not None and each.withdrawn <= seen.as_of:
            why = f"not sold by its maker since {each.withdrawn.isoformat()}, at any price"
            yield check(each.name, False, why, expected=expected, measured="not for sale")
            continue
        fresh = [quote for quote in each.quotes if (seen.as_of - quote.as_of).days <= DAYS]
        inside = [quote for quote in fresh if quote.low_usd <= high and quote.high_usd >= low]
        found = ", ".join(f"{usd(q.low_usd)} to {usd(q.high_usd)} ({q.as_of.isoformat()})" for q in fresh)
        holds = True if inside else False if len(fresh) >= LEAST_QUOTES else None
        why = f"elsewhere: {found}" if fresh else "no price from elsewhere was found"
        yield check(each.name, holds, why, expected=expected, measured=found or "not known")


@of_a_purchase
def judge(seen: Prices, _inventory: object) -> Finding:
    """Each range against prices from elsewhere; FAIL where it is no longer sold, or two of them lie outside."""
    parts = tuple(_parts(seen))
    sources = tuple(f"{each.name}: {quote.source}" for each in seen.machines for quote in each.quotes)
    gone = tuple(f"{each.name}: {each.withdrawn_source}" for each in seen.machines if each.withdrawn_source)
    return finding(
        parts,
        good="a price from elsewhere lies in each range",
        expected="; ".join(f"{part.name} {part.expected}" for part in parts),
        measured="; ".join(f"{part.name} {part.measured}" for part in parts),
        threshold=f"a price of the last {DAYS} days in each range; {LEAST_QUOTES} outside it are a FAIL",
        source=f"{GUIDE}, Hardware Options; assumed: {LEAST_QUOTES} prices of {DAYS} days, as dealers differ",
        notes=(*sources, A100_NOTE, *gone),
        provenance=Provenance.VENDOR,
    )


ASSUMPTION = Assumption(
    id="hardware-prices",
    guide=f"{GUIDE}, Hardware Options",
    states="A Mac Studio costs $8,000 to $10,000, 8x A100 $250,000 to $280,000 and 8x B200 $340,000 to $460,000.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Ask two dealers for a written quotation of the machine you mean, and put it into the money block.",
    version=1,
    observe=observe,
    judge=judge,
)
