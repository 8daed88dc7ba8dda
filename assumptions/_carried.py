"""Answers taken over from an earlier run: they lie beside with that run's whole folder, and are the same there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from assumptions._core import Evidence
from assumptions._ledger import NAME
from assumptions._recheck import Recheck, rechecked
from assumptions._recheck_files import Fault

FOLDER = "carried/"


def taken_over(record: Evidence, run: str) -> Evidence:
    """The record as it stands in a later run: its raw records are those of the run that judged it."""
    if record.carried:
        return record
    return replace(record, carried=run, trail=tuple(f"{run}/{name}" for name in record.trail))


def carried_faults(files: Mapping[str, bytes], run: Recheck) -> Iterator[Fault]:
    """What is wrong with the answers that a run took over."""
    runs = sorted({record.carried for record in run.records if record.carried})
    there = {name.split("/")[1] for name in files if name.startswith(FOLDER)}
    for name in sorted(there - set(runs)):
        yield Fault(f"{FOLDER}{name}", "no record was taken over from it")
    for name in runs:
        prefix = f"{FOLDER}{name}/"
        inner = {path.removeprefix(prefix): content for path, content in files.items() if path.startswith(prefix)}
        yield from _one(name, prefix, inner, run)


def _one(name: str, prefix: str, files: Mapping[str, bytes], run: Recheck) -> Iterator[Fault]:
    catalog = run.header.catalog_sha256 if run.header else ""
    taken = {(record.claim, record.stage) for record in run.records if record.carried == name}
    earlier = rechecked(files, catalog, catalog, taken)
    yield from (Fault(f"{prefix}{each.where}", each.what) for each in earlier.faults)
    if earlier.header is None or run.header is None:
        return
    if earlier.header.run != name:
        yield Fault(f"{prefix}{NAME}, line 1: run", f"{earlier.header.run} where {name} belongs")
    if earlier.header.inventory_sha256 != run.header.inventory_sha256:
        yield Fault(f"{prefix}inventory.json", "another inventory: its answers can't be taken over")
    judged = {taken_over(record, name).claim + record.stage: taken_over(record, name) for record in earlier.records}
    for record in run.records:
        if record.carried == name and judged.get(record.claim + record.stage) != record:
            yield Fault(f"{NAME}: {record.claim} at {record.stage}", f"not the answer that {name} gave")
