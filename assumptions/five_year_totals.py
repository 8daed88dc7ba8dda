"""Claim: five years cost $27,375 by API, $12,500 on a Mac and $350,000 on 8x A100.  The sums, and nothing beside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._parts import check
from assumptions._strategy import API_USD_PER_YEAR, GUIDE, MAC, NODE, finding, of_a_purchase, usd
from tasks.site import Site

SAID_USD = {"API": 27_375.0, "Mac Studio": 12_500.0, "8x A100": 350_000.0}  # Total Cost of Ownership
YEARS = 5
TOLERANCE_USD = 0.5  # the strategy prints whole dollars


@dataclass(frozen=True, slots=True)
class Total:
    """One printed total, and what it is the sum of; None where the document gives no such figure."""

    name: str
    said_usd: float
    once_usd: float
    usd_per_year: float | None
    years: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The strategy's three totals."""

    rows: tuple[Total, ...]


def observe(site: Site, stage: Stage) -> Totals:
    """The strategy's own numbers; no host is asked."""
    once = {"API": 0.0, "Mac Studio": MAC.hardware_usd, "8x A100": NODE.hardware_usd}
    yearly = {
        "API": API_USD_PER_YEAR,
        "Mac Studio": MAC.running_usd_per_year,
        "8x A100": NODE.running_usd_per_year,
    }
    return Totals(tuple(Total(name, said, once[name], yearly[name], YEARS) for name, said in SAID_USD.items()))


def _parts(seen: Totals) -> Iterator[Part]:
    for row in seen.rows:
        expected = usd(row.said_usd)
        if row.usd_per_year is None:
            yield check(row.name, None, "no yearly figure is given for it", expected=expected)
            continue
        found = row.once_usd + row.usd_per_year * row.years
        why = f"{usd(row.once_usd)} and {row.years} x {usd(row.usd_per_year)} are {usd(found)}"
        right = abs(found - row.said_usd) <= TOLERANCE_USD
        yield check(row.name, right, why, expected=expected, measured=usd(found))


@of_a_purchase
def judge(seen: Totals, _inventory: object) -> Finding:
    """Each printed total against the sum of its own figures."""
    parts = tuple(_parts(seen))
    return finding(
        parts,
        "; ".join(f"{part.name}: {part.because}" for part in parts),
        expected=", ".join(f"{row.name} {usd(row.said_usd)}" for row in seen.rows),
        measured=", ".join(f"{part.name} {part.measured or 'not known'}" for part in parts),
        threshold=f"+- ${TOLERANCE_USD:g}",
        notes=(
            "the sums are right as sums; what they leave out (capital, support, people, resale) is judged by "
            "professional-at-70k and beachhead cost",
            "at the $10 to $20 a day of its own situation the API's total is $18,250 to $36,500",
        ),
    )


ASSUMPTION = Assumption(
    id="five-year-totals",
    guide=f"{GUIDE}, Total Cost of Ownership",
    states="Five years cost $27,375 by API, $12,500 with a Mac Studio and $350,000 with 8x A100.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Add up the document's own rows again, or take all costs from beachhead cost.",
    version=1,
    observe=observe,
    judge=judge,
)
