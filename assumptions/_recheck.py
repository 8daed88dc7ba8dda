"""A run's files checked from nothing: chains, raw records, and every verdict judged again with the same judges."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from assumptions._conclusion import Ending, Header, concluded
from assumptions._core import Evidence
from assumptions._ledger import CLAIM, END, HEADER, NAME
from assumptions._plain import plain
from assumptions._recheck_files import TRAIL, Fault, chain_faults, raw_faults
from assumptions._recheck_record import differences
from assumptions._registry import claim
from assumptions._seal import told
from assumptions._terms import Terms, terms
from assumptions._verdict import Key
from inventories.errors import BadInput
from inventories.schema import Inventory
from tasks import chain


@dataclass(frozen=True, slots=True)
class Recheck:
    """What checking a run found.  `again` is how many of its judgements were made again."""

    faults: tuple[Fault, ...]
    header: Header | None = None
    ending: Ending | None = None
    records: tuple[Evidence, ...] = ()
    again: int = 0


def rechecked(
    files: Mapping[str, bytes], catalog_sha256: str, own_catalog_sha256: str, only: Set[Key] | None = None
) -> Recheck:
    """Check the files of one run's folder; of a run that others took answers from, these answers `only`."""
    faults = [*chain_faults(files, NAME), *chain_faults(files, TRAIL), *raw_faults(files)]
    lines = [(number, entry) for number, entry, _ in chain.entries(files.get(NAME, b"")) if entry is not None]
    kinds = [str(entry.get("record")) for _, entry in lines]
    if not lines or kinds[0] != HEADER or kinds[-1] != END or set(kinds[1:-1]) - {CLAIM}:
        faults.append(Fault(NAME, "it does not begin with a header and end with an ending: it is a part of a run"))
    try:
        header = told(Header, next(entry for _, entry in lines if entry.get("record") == HEADER))
        ending = told(Ending, next(entry for _, entry in lines if entry.get("record") == END))
        records = [(n, told(Evidence, entry)) for n, entry in lines if entry.get("record") == CLAIM]
        inventory = Inventory.model_validate(json.loads(files["inventory.json"]))
    except (StopIteration, KeyError, ValueError, TypeError, RecursionError) as error:
        faults.append(
            Fault(NAME, f"can't be judged again: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
        )
        return Recheck(tuple(faults))
    faults += _bound(files, header, ending, inventory)
    faults += _terms(header, catalog_sha256, own_catalog_sha256, only)
    trail = {str(e.get("id")): str(e.get("sha256")) for _, e, _ in chain.entries(files.get(TRAIL, b"")) if e}
    again = 0
    for number, record in records:
        if only is not None and (record.claim, record.stage) not in only:
            continue
        wrong = list(differences(record, header, inventory, trail))
        again += record.observation is not None and not wrong
        name = f"{NAME}, line {number}: {record.claim} at {record.stage}"
        faults += [Fault(f"{name}: {field}", what) for field, what in wrong]
    kept = tuple(record for _, record in records)
    faults += _verdict(files, header, ending, kept) if only is None else ()
    return Recheck(tuple(faults), header, ending, kept, again)


def _bound(files: Mapping[str, bytes], header: Header, ending: Ending, inventory: Inventory) -> Iterator[Fault]:
    if header.inventory_sha256 != chain.digest(json.loads(files["inventory.json"])):
        yield Fault("inventory.json", "not the inventory that the run declared")
    if header.inventory != inventory.name:
        yield Fault(f"{NAME}, line 1: inventory", f"{header.inventory}, and the inventory is called {inventory.name}")
    for name, digest in ending.files.items():
        if name not in files:
            yield Fault(name, "it is missing")
        elif chain.sha256(files[name]) != digest:
            yield Fault(name, "it was changed after the run ended")
    heads = [
        str(entry["sha256"]) for _, entry, _ in chain.entries(files.get(TRAIL, b"")) if entry and "sha256" in entry
    ]
    if ending.trail_head != (heads[-1] if heads else chain.START):
        yield Fault(TRAIL, "it does not end where the run ended")


def _terms(header: Header, catalog: str, own_catalog: str, only: Set[Key] | None) -> Iterator[Fault]:
    """Whether what the run was judged by is what is here; another version can't judge again."""
    if header.catalog_sha256 != catalog:
        yield Fault("catalog/", "not the catalog that the run declared")
    other = f"can't be judged again by the same judge: check with {header.product}"
    if catalog != own_catalog:
        yield Fault("catalog/", f"not this installation's; {other}")
    wanted = header.claims if only is None else {name for name, _ in only}
    for name, declared in ((each, header.claims[each]) for each in header.claims if each in wanted):
        try:
            own: Terms | None = terms(claim(name), header.inventory_sha256, header.catalog_sha256)
        except BadInput:
            own = None
        if own is None or plain(own) != plain(declared):
            field = (
                ""
                if own is None
                else next(f".{key}" for key, value in plain(declared).items() if plain(own)[key] != value)
            )
            yield Fault(f"{NAME}, line 1: claims.{name}{field}", f"not the claim of this installation; {other}")


def _verdict(
    files: Mapping[str, bytes], header: Header, ending: Ending, records: tuple[Evidence, ...]
) -> Iterator[Fault]:
    own = plain(concluded(header, records, ending.circumstances))
    for field, value in plain(ending.verdict).items():
        if own[field] != value:
            yield Fault(
                f"{NAME}, last line: verdict.{field}", f"{_short(value)}; from the records it is {_short(own[field])}"
            )
    try:
        shown: Any = json.loads(files["run.json"])["verdict"]
    except (KeyError, ValueError, TypeError):
        yield Fault("run.json", "it is missing or can't be read")
        return
    if shown != plain(ending.verdict):
        yield Fault("run.json: verdict", "not the verdict of the ledger")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"
