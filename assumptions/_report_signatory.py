"""Page one, for whoever signs: what decides, how far it is from turning, the money on it, the cheapest next look."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from assumptions._core import Outcome, Stage
from assumptions._report_money import RULES, AtRisk, Experiment, experiment
from assumptions._report_price import Price, usd
from assumptions._report_records import Shown
from assumptions._report_words import Obstacle
from assumptions._verdict import Verdict
from assumptions._waivers import Waiver

ROWS, FEWER = 5, 3  # of what decides: the page must stay one sheet, also with a rehearsal's banner or waivers on it
LONGEST = 120  # characters of one cell there; the whole stands with the claim
WAIVED = "WAIVED"


@dataclass(frozen=True, slots=True)
class Decider:
    """One claim that turns the decision; what is no claim of its own has neither money nor a next look."""

    kind: str
    title: str
    because: str
    anchor: str = ""
    distance: str = ""
    risk: AtRisk | None = None
    next: Experiment | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Signatory:
    """Everything of page one that is not the run's own facts."""

    flips: str
    deciders: tuple[Decider, ...]
    more: int
    stake: str
    stake_source: str
    rules: tuple[tuple[str, str], ...]
    good_until: datetime | None
    left: tuple[Stage, ...]
    next_stage: Experiment | None
    waivers: tuple[tuple[Waiver, bool], ...] = ()  # each, and whether it covers a failure of this run


def signatory(
    verdict: Verdict,
    found: Sequence[Obstacle],
    records: Sequence[Shown],
    inventory: str,
    price: Price | None,
    waivers: Sequence[Waiver] = (),
    rows: int = ROWS,
) -> Signatory:
    """What stands in the way, cheapest look first among the unknown; where nothing does, what is nearest to turning."""
    by_anchor = {each.anchor: each for each in records}
    standing = [each for each in found if each.kind != WAIVED]
    deciders = [_standing(each, by_anchor.get(each.anchor)) for each in standing]
    deciders = deciders or [*_excused(records), *_holding(records)]
    deciders.sort(key=_urgency)
    rules = dict.fromkeys(each.risk.rule for each in deciders[:rows] if each.risk and each.risk.text)
    judged = {each.record.stage for each in records}
    left = tuple(stage for stage in Stage if stage not in judged)
    asked = left[0] if left and verdict.open else None
    return Signatory(
        flips=_flips(verdict, standing, records),
        deciders=tuple(deciders[:rows]),
        more=max(0, len(deciders) - rows),
        stake=_stake(price),
        stake_source=price.hardware_source or price.rent_source if price else "",
        rules=tuple((rule, RULES[rule]) for rule in rules),
        good_until=min((e.record.expires_at for e in records if e.blocks and e.record.expires_at), default=None),
        left=left,
        next_stage=experiment("", asked, inventory, price) if asked else None,
        waivers=tuple((waiver, any(waiver.covers(each.record) for each in records)) for waiver in waivers),
    )


def _standing(each: Obstacle, its: Shown | None) -> Decider:
    return Decider(
        kind=each.kind,
        title=_short(each.title),
        because=_short(each.because),
        anchor=each.anchor,
        distance=its.distance.text if its and its.distance else "",
        risk=its.risk if its else None,
        next=its.next if its else None,
        remedy=_short(each.remedy),
    )


def _excused(records: Sequence[Shown]) -> list[Decider]:
    """What nobody found out and what does not block here: it decides nothing, and is still to be looked at."""
    return [
        Decider(
            kind=str(Outcome.UNKNOWN),
            title=_short(e.record.states),
            because=_short(f"does not block here: {e.record.excused}"),
            anchor=e.anchor,
            distance=e.distance.text if e.distance else "",
            risk=e.risk,
            next=e.next,
            remedy=_short(e.record.remedy),
        )
        for e in records
        if e.record.excused and not e.blocks
    ]


def _holding(records: Sequence[Shown]) -> list[Decider]:
    """The blocking claims that hold and whose distance is known, nearest first."""
    near = [e for e in records if e.blocks and e.record.finding.outcome is Outcome.PASS and e.distance]
    near = [e for e in near if e.distance and e.distance.share is not None]
    near.sort(key=lambda e: (e.distance and e.distance.share) or 0.0)
    return [
        Decider(
            kind=str(Outcome.PASS),
            title=_short(e.record.states),
            because=_short(e.record.finding.because),
            anchor=e.anchor,
            distance=e.distance.text if e.distance else "",
            risk=e.risk,
        )
        for e in near
    ]


def _urgency(each: Decider) -> tuple[int, int]:
    """Failures first; then what is not known, by what finding it out costs; the order stays where these are equal."""
    kinds = [str(Outcome.FAIL), str(Outcome.UNKNOWN)]
    return kinds.index(each.kind) if each.kind in kinds else len(kinds), each.next.rank if each.next else len(Stage)


def _flips(verdict: Verdict, standing: Sequence[Obstacle], records: Sequence[Shown]) -> str:
    """Which claims turn the decision, in a sentence."""
    failed, unknown = len(verdict.blocking), len(verdict.unresolved)
    if failed:
        then = f"; then {_things(unknown)} must still be found out" if unknown else ""
        if failed == 1:
            return f"One claim decides: {verdict.blocking[0].partition(':')[0]}. Nothing else failed{then}."
        return f"No single claim turns it: all {failed} failures must be mended{then}."
    if unknown == 1 or (unknown and len(standing) == 1):
        return f"One thing decides: {(standing[0].what if standing else verdict.unresolved[0]).partition(':')[0]}."
    if unknown:
        return f"No single claim turns it: {_things(unknown)} must be found out."
    held = [e for e in records if e.blocks and e.record.finding.outcome is Outcome.PASS]
    if not held:
        return "No blocking claim passed here."
    return f"Each of the {len(held)} blocking claims that hold would turn it by failing. {_nearest(held)}"


def _nearest(held: Sequence[Shown]) -> str:
    numbered = sum(e.distance is not None and e.distance.share is not None for e in held)
    return f"{numbered} of them have a figure and a limit: the nearest first." if numbered else "None has a figure."


def _things(count: int) -> str:
    return "1 thing" if count == 1 else f"{count} things"


def _stake(price: Price | None) -> str:
    if price is None:
        return "Nothing is bought in a rehearsal: no money is at risk."
    if price.hardware_usd:
        return f"{usd(price.hardware_usd)}: {price.machine}."
    if price.rent_usd_per_hour:
        return f"{usd(price.rent_usd_per_hour)} an hour of rent: {price.machine}; no price to buy it was found."
    return f"not told: no price was found of {price.machine}; declare money.own.hardware_usd in the inventory."


def _short(text: str) -> str:
    return textwrap.shorten(text, LONGEST, placeholder=" …")
