"""The newest answer to each claim, from the runs of one inventory back to the newest that judged every claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assumptions._core import Evidence
from assumptions._ledger import NAME, Ledger, LedgerBroken
from assumptions._verdict import Key
from inventories.errors import BadInput
from tasks import chain


@dataclass(frozen=True, slots=True)
class Answer:
    """A record, the folder and the header of the run that gave it, and why it can't be taken over; "" where it can."""

    record: Evidence
    folder: Path
    header: Mapping[str, Any]
    unfit: str = ""


def answers(folder: Path) -> dict[Key, Answer]:
    """The newest answer to each claim before the run in `folder`.

    A later run of a part counts before an earlier whole one: what it found since must not be forgotten.  BadInput
    where no run judged every claim, or a ledger on the way can't be read.
    """
    found: dict[Key, Answer] = {}
    for ledger in _ledgers(folder):
        header, ending = ledger.header(), ledger.ending()
        if header is None:
            break  # of the first form: it says nothing of what it was judged by
        unfit = ""
        if ending is None:
            unfit = "the run that judged it has not ended"
        elif not ending["circumstances"]["tables_ok"]:
            unfit = "the run that judged it has tables that do not agree"
        for record in ledger.read_partial()[0]:
            found.setdefault((record.claim, record.stage), Answer(record, ledger.path.parent, header, unfit))
        if header["whole"] and {(name, stage) for name, stage in header["expected"]} <= set(found):
            return found
    raise BadInput(
        "no earlier run judged every claim: there is nothing that could be stale",
        where=str(folder.parent),
        fix="run `beachhead validate` without --stale, or provision",
    )


def _ledgers(folder: Path) -> Iterator[Ledger]:
    """The ledgers of the inventory's other runs, newest first: a run's id begins with its time."""
    for file in sorted(folder.parent.glob(f"*/{NAME}"), reverse=True):
        if file.parent == folder:
            continue
        ledger = Ledger(file.parent)
        try:
            entries = [entry for _, entry in ledger.lines(ledger.data())]
        except LedgerBroken as broken:
            raise _damaged(file, broken.what) from None
        if entries and "sha256" in entries[0] and (wrong := _breaks(ledger.data())):
            raise _damaged(file, wrong)
        yield ledger


def _breaks(data: bytes) -> str:
    """The first place where the chain does not hold; a torn last line is the mark of a run that was killed."""
    whole = data[: data.rfind(b"\n") + 1]
    return next((f"line {each.line}: {each.field} {each.why}" for each in chain.breaks(whole)), "")


def _damaged(file: Path, why: str) -> BadInput:
    return BadInput(
        f"a ledger since the last whole run can't be relied on: {why}",
        where=str(file),
        fix="run `beachhead validate` without --stale",
    )
