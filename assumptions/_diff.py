"""What changed from one run to another: verdict, outcomes, values, environment, and by what it was judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assumptions._core import Evidence
from assumptions._ledger import Ledger
from inventories.errors import BadInput

FINDING = ("outcome", "value", "unit", "measured", "threshold", "provenance", "interval", "samples", "because")
RECORD = ("severity", "excused", "engine", "host", "model", "version")
JUDGED_BY = ("inventory_sha256", "catalog_sha256", "product", "waivers")
PARTIAL = "not ended"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: in what (a claim at a stage, the environment, …), in which field, from what to what."""

    kind: str  # verdict, claim, environment, judged by
    what: str
    field: str
    before: str | None  # None: there was none
    after: str | None


def diff(one: Path, other: Path) -> list[Change]:
    """Everything of note that differs; nothing where only times and ids do."""
    first, second = Ledger(one), Ledger(other)
    before, after = first.read_partial()[0], second.read_partial()[0]
    if not before and not after:
        raise BadInput("neither run judged a claim", where=f"{one} and {other}", fix="name runs that judged something")
    return [
        *_verdict(first, second),
        *_claims(_by_key(before), _by_key(after)),
        *_mapping("environment", "", _environment(before), _environment(after)),
        *_mapping("judged by", "", _header(first), _header(second)),
    ]


def _verdict(first: Ledger, second: Ledger) -> Iterator[Change]:
    told = [(ledger.ending() or {}).get("verdict", {}) for ledger in (first, second)]
    for field in ("decision", "because"):
        yield from _field("verdict", "verdict", field, *(str(each.get(field, PARTIAL)) for each in told))


def _claims(before: Mapping[str, Evidence], after: Mapping[str, Evidence]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            outcomes = [None if each is None else str(each.finding.outcome) for each in (one, other)]
            yield Change("claim", name, "outcome", *outcomes)
            continue
        for field in FINDING:
            yield from _field("claim", name, field, *(_shown(getattr(e.finding, field)) for e in (one, other)))
        for field in RECORD:
            yield from _field("claim", name, field, *(_shown(getattr(e, field)) for e in (one, other)))


def _by_key(records: Sequence[Evidence]) -> dict[str, Evidence]:
    return {f"{record.claim} ({record.stage})": record for record in records}


def _environment(records: Sequence[Evidence]) -> dict[str, str]:
    """The newest reading of each part."""
    return {part: value for record in records for part, value in record.fingerprint.items()}


def _header(ledger: Ledger) -> dict[str, str]:
    header: Mapping[str, Any] = ledger.header() or {}
    terms = {name: str(each["threshold_sha256"])[:12] for name, each in header.get("claims", {}).items()}
    told = {field: _shown(header[field]) for field in JUDGED_BY if field in header}
    same = told.get("inventory_sha256"), told.get("catalog_sha256")
    return told | ({f"terms of {name}": value for name, value in terms.items()} if None not in same else {})


def _mapping(kind: str, what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in (*before, *(each for each in after if each not in before)):
        if name.startswith("terms of ") and (name not in before or name not in after):
            continue  # the claim itself is new or gone, and said so above
        if before.get(name) != after.get(name):
            yield Change(kind, what or kind, name, before.get(name), after.get(name))


def _field(kind: str, what: str, field: str, before: str, after: str) -> Iterator[Change]:
    if before != after:
        yield Change(kind, what, field, before, after)


def _shown(value: object) -> str:
    return "" if value is None or value == [] or value == () else str(value)
