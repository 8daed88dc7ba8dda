"""One record against what it rests on: its claim, its observation, its raw records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assumptions._conclusion import Header
from assumptions._core import Evidence, Outcome
from assumptions._fingerprint import depends_on, expires
from assumptions._judge import rejudged
from assumptions._observation import NotAgain, clean
from assumptions._plain import plain
from assumptions._registry import Claim, claim
from inventories.errors import BadInput
from inventories.schema import Inventory
from tasks.redaction import Redactor

Difference = tuple[str, str]  # the field, and what is wrong


def differences(
    record: Evidence, header: Header, inventory: Inventory, trail: Mapping[str, str]
) -> Iterator[Difference]:
    """Everything in the record that does not follow from what it rests on."""
    try:
        known = claim(record.claim)
    except BadInput:
        yield "claim", "this installation knows no such claim"
        return
    yield from _as_declared(record, known, header)
    if not record.carried:
        yield from _raw(record, trail)
    yield from _judgement(record, known, inventory)


def _as_declared(record: Evidence, known: Claim, header: Header) -> Iterator[Difference]:
    if (record.claim, record.stage) not in header.expected:
        yield "claim", "the run did not declare it"
    for field in ("version", "severity", "guide", "states"):
        if getattr(record, field) != getattr(known, field):
            yield field, f"{getattr(record, field)}; the claim says {getattr(known, field)}"
    if not record.remedy.startswith(known.remedy):  # a pack for the vendor may be named behind it
        yield "remedy", "not the claim's"
    if record.depends_on != depends_on(known, record.stage):
        yield "depends_on", "not the claim's"
    if record.expires_at != expires(known, record.stage, record.started_at):
        yield "expires_at", "not what follows from the claim and the time"
    if record.product != header.product and not record.carried:
        yield "product", f"{record.product}; the run says {header.product}"


def _raw(record: Evidence, trail: Mapping[str, str]) -> Iterator[Difference]:
    if len(record.trail) != len(record.trail_sha256):
        yield "trail_sha256", "not one digest for each raw record"
    for name, digest in zip(record.trail, record.trail_sha256, strict=False):
        if name not in trail:
            yield "trail", f"raw record {name} is missing"
        elif trail[name] != digest:
            yield "trail_sha256", f"raw record {name} is not the one that was judged"


def _judgement(record: Evidence, known: Claim, inventory: Inventory) -> Iterator[Difference]:
    reason = inventory.may_stay_unknown.get(record.claim, "")
    if record.excused != (reason if record.finding.outcome is Outcome.UNKNOWN else ""):
        yield "excused", "not what the inventory says"
    if record.observation is None or record.not_again:
        if record.finding.outcome is not Outcome.UNKNOWN:
            yield (
                "observation",
                f"{record.finding.outcome} can't be judged again: {record.not_again or 'it is missing'}",
            )
        return
    try:
        again = plain(clean(rejudged(known, record.observation, inventory), Redactor()))
    except NotAgain as why:
        yield "observation", str(why)
        return
    for field, value in plain(record.finding).items():
        if again[field] != value:
            yield f"finding.{field}", f"{_short(value)}; judged again it is {_short(again[field])}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:99]}…"
