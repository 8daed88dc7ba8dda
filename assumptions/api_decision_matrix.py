"""Claim: the decision matrix from a month's API costs to a machine.  Each row's machine must gain at its own bill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._parts import check
from assumptions._strategy import (
    GUIDE,
    MAC,
    MAC_ID,
    NODE,
    NODE_ID,
    TITLES,
    Market,
    finding,
    market,
    of_a_purchase,
    replaces,
    usd,
)
from assumptions.formulas.money import MONTHS_PER_YEAR
from assumptions.formulas.strategy_claims import Purchase, gain_usd, least_api_usd_per_month
from tasks.site import Site


@dataclass(frozen=True, slots=True)
class Row:
    """From which bill a month the row holds, up to which, and the machine that it names."""

    least_usd_per_month: float
    most_usd_per_month: float | None
    machine: str


# The Decision Matrix: "under $500/month", "exceed $1,500/month", "approach $5,000/month" (the last one "immediate")
ROWS = (Row(0, 500, MAC_ID), Row(1_500, 5_000, NODE_ID), Row(5_000, None, NODE_ID))


@dataclass(frozen=True, slots=True)
class Matrix:
    """The strategy's rows, its machines and the market."""

    rows: tuple[Row, ...]
    machines: Mapping[str, Purchase]
    market: Market


def observe(site: Site, stage: Stage) -> Matrix:
    """The strategy's own numbers; no host is asked."""
    return Matrix(ROWS, {MAC_ID: MAC, NODE_ID: NODE}, market(site.inventory))


@of_a_purchase
def judge(seen: Matrix, _inventory: object) -> Finding:
    """At the least bill of each row its machine must not lose, and no bill between the rows may be left out."""
    parts = (*(_row(row, seen.machines[row.machine]) for row in seen.rows), *_gaps(seen.rows), *_served(seen))
    loses = [part for part in parts if part.name.startswith("row ") and part.measured.startswith("-")]
    said = f"{len(loses)} of {len(seen.rows)} rows lose money: " + "; ".join(part.because for part in loses)
    return finding(
        parts,
        "every row gains at its least bill and the machine serves it",
        expected="every row gains",
        measured=said if loses else "every row gains",
        threshold="gain >= $0 over the machine's years at the row's least bill, nothing discounted",
        seen=seen.market,
        value=float(len(loses)),
        unit="rows that lose",
    )


def _row(row: Row, machine: Purchase) -> Part:
    gain = gain_usd(machine, row.least_usd_per_month)
    least = usd(least_api_usd_per_month(machine))
    verb = "gains" if gain >= 0 else "loses"
    at = f"at {usd(row.least_usd_per_month)} a month {TITLES[row.machine]} {verb} {usd(abs(gain))}"
    said = f"{at} in {machine.years} years, even if it serves all; it needs {least}"
    return check(f"row from {usd(row.least_usd_per_month)}", gain >= 0, said, expected=">= $0", measured=usd(gain))


def _gaps(rows: tuple[Row, ...]) -> Iterator[Part]:
    for row, following in pairwise(rows):
        if row.most_usd_per_month is not None and row.most_usd_per_month < following.least_usd_per_month:
            between = f"{usd(row.most_usd_per_month)} to {usd(following.least_usd_per_month)}"
            yield check(f"gap {between}", False, f"no row says what to do at {between} a month", expected="no gap")


def _served(seen: Matrix) -> Iterator[Part]:
    for row in seen.rows:
        bill = row.least_usd_per_month if row.most_usd_per_month is None else row.most_usd_per_month
        yield replaces(row.machine, bill * MONTHS_PER_YEAR, seen.market)


ASSUMPTION = Assumption(
    id="api-decision-matrix",
    guide=f"{GUIDE}, The Decision Matrix",
    states="A month's API costs decide the machine: under $500 a Mac Studio, over $1,500 or near $5,000 8x A100.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Use no matrix: run beachhead cost with your own load once a throughput was measured, and read its tornado.",
    version=1,
    observe=observe,
    judge=judge,
)
