"""Whether a run's lines and raw outputs are those that were written, by their digests alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tasks import chain

TRAIL = "raw/trail.jsonl"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was: the file, record and field where it can be told, and what is wrong."""

    where: str
    what: str


def chain_faults(files: Mapping[str, bytes], name: str) -> Iterator[Fault]:
    if name not in files:
        yield Fault(name, "it is missing")
        return
    entries = {number: entry or {} for number, entry, _ in chain.entries(files[name])}
    for each in chain.breaks(files[name]):
        entry = entries.get(each.line, {})
        of = f": {entry['claim']} at {entry.get('stage')}" if "claim" in entry else ""
        yield Fault(f"{name}, line {each.line}{of}" + (f": {each.field}" if each.field else ""), each.why)


def raw_faults(files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Long outputs: each under its digest's name, each named by a record, none missing."""
    named = {
        str(whole): str(entry.get("id"))
        for _, entry, _ in chain.entries(files.get(TRAIL, b""))
        if entry
        for whole in dict(entry.get("whole") or {}).values()
    }
    there = {name.removeprefix("raw/") for name in files if name.startswith("raw/") and name != TRAIL}
    for name in sorted(there):
        if name != f"{chain.sha256(files[f'raw/{name}'])}.txt":
            yield Fault(f"raw/{name}", "its content is not what its name is the digest of")
        elif name not in named:
            yield Fault(f"raw/{name}", "no raw record names it")
    for name in sorted(set(named) - there):
        yield Fault(f"raw/{name}", f"it is missing; raw record {named[name]} names it")
