"""Who accepted a failing claim, why, and until when: `waivers/<inventory>.yaml`, beside the evidence.

A waiver covers a FAIL and nothing else.  An expired one, or one of a claim that there isn't, is an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field

from assumptions._core import Evidence, Outcome, Severity, Stage
from assumptions._registry import claim
from inventories import reading
from inventories.errors import BadInput
from inventories.strict import Name, Strict
from inventories.validating import validated

Said = Annotated[str, Field(min_length=10, max_length=1000)]


@dataclass(frozen=True, slots=True)
class Waiver:
    """A FAIL of `claim`, at `stage` or at each of its stages, does not block until the end of `expires`."""

    claim: str
    stage: str  # "" is every stage
    reason: str
    owner: str
    expires: date

    def covers(self, record: Evidence) -> bool:
        """Whether this is about that record's failure."""
        failed = record.severity is Severity.BLOCKING and record.finding.outcome is Outcome.FAIL
        return failed and record.claim == self.claim and self.stage in ("", str(record.stage))


class _Entry(Strict):
    claim: Name
    stage: Stage | None = None
    reason: Said
    owner: Annotated[str, Field(min_length=3, max_length=200)]
    expires: date


class _File(Strict):
    waivers: tuple[_Entry, ...]


def folder() -> Path:
    """Where waivers lie: $BEACHHEAD_WAIVERS, else waivers/ in the working folder."""
    return Path(os.environ.get("BEACHHEAD_WAIVERS") or "waivers").absolute()


def waivers(inventory: str, today: date) -> tuple[Waiver, ...]:
    """The inventory's waivers, none where there is no file; BadInput where one of them is wrong."""
    file = folder() / f"{inventory}.yaml"
    if not file.exists():
        return ()
    read = validated(_File, reading.read(file), str(file)).waivers
    found = tuple(
        Waiver(each.claim, str(each.stage or ""), " ".join(each.reason.split()), each.owner, each.expires)
        for each in read
    )
    for number, waiver in enumerate(found):
        _check(waiver, found[:number], file, today)
    return found


def _check(waiver: Waiver, before: Iterable[Waiver], file: Path, today: date) -> None:
    try:
        known = claim(waiver.claim)
    except BadInput as unknown:
        raise BadInput(
            f"a waiver of {waiver.claim!r}: there is no claim called so",
            where=str(file),
            fix=f"mend its name or take the waiver out; {unknown.fix}",
        ) from None
    wrong = ""
    if waiver.expires < today:
        wrong = f"expired on {waiver.expires}"
    elif known.severity is not Severity.BLOCKING:
        wrong = "is of an advisory claim, which blocks nothing"
    elif waiver.stage and waiver.stage not in known.stages:
        wrong = f"names the stage {waiver.stage}, and the claim is judged at {', '.join(known.stages)}"
    elif any(each.claim == waiver.claim and _overlap(each, waiver) for each in before):
        wrong = "is there twice"
    if wrong:
        raise BadInput(
            f"the waiver of {waiver.claim} {wrong}",
            where=str(file),
            fix="take it out, or have its owner write it anew; the claim blocks again without it",
        )


def _overlap(one: Waiver, other: Waiver) -> bool:
    return "" in (one.stage, other.stage) or one.stage == other.stage
