"""Every record as the report shows it: with its anchor, its distance, the money on it and its drill."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assumptions._core import Evidence, Outcome, Severity
from assumptions._report_distance import Distance, distance
from assumptions._report_money import AtRisk, Experiment, at_risk, experiment
from assumptions._report_price import Price
from assumptions._verdict import blocks

ORDER = (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)
UNSETTLED = (Outcome.FAIL, Outcome.UNKNOWN)
Drill = Callable[[str, int], str]  # claim and version: what a drill of it showed, in words


@dataclass(frozen=True, slots=True)
class Shown:
    """One record on the page."""

    anchor: str
    record: Evidence
    distance: Distance | None
    risk: AtRisk
    next: Experiment | None
    drill: str

    @property
    def blocks(self) -> bool:
        """Whether it may stand in the way of a GO."""
        return blocks(self.record)

    @property
    def advisory(self) -> bool:
        """Whether it is about the documents, and not about this deployment."""
        return self.record.severity is Severity.ADVISORY


def anchors(evidence: Sequence[Evidence]) -> list[str]:
    """claim-<id>, with the stage behind it where there are several, and a number where that is not enough."""
    stages = Counter(e.claim for e in evidence)
    told: Counter[str] = Counter()
    found = []
    for e in evidence:
        said = e.claim if stages[e.claim] == 1 else f"{e.claim}-{e.stage}"
        anchor = "claim-" + re.sub(r"[^A-Za-z0-9_.-]+", "-", said)[:120]
        told[anchor] += 1
        found.append(anchor if told[anchor] == 1 else f"{anchor}-{told[anchor]}")
    return found


def shown(evidence: Sequence[Evidence], inventory: str, price: Price | None, drill: Drill) -> list[Shown]:
    """In the order in which a reader needs them: what fails, what is not known, what holds, what does not apply."""
    found = [
        Shown(
            anchor=anchor,
            record=e,
            distance=distance(e.finding),
            risk=at_risk(e, price),
            next=experiment(e.claim, e.stage, inventory, price) if e.finding.outcome in UNSETTLED else None,
            drill=drill(e.claim, e.version),
        )
        for anchor, e in zip(anchors(evidence), evidence, strict=True)
    ]
    return sorted(found, key=lambda each: ORDER.index(each.record.finding.outcome))
