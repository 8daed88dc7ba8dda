"""The ledger on disk: one JSON line per claim and stage, on the platter before the next claim is judged.

Its first line says what was to be judged and by what, before anything was; its last line how it ended.  Each line
carries the digest of the line before.  A ledger of the first form, claims only and without digests, is still read.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assumptions._core import Evidence
from assumptions._files import sync_folder
from assumptions._files import write_json as write_json
from assumptions._files import write_whole as write_whole
from assumptions._plain import plain
from assumptions._typed import typed
from inventories.errors import Problem
from tasks import chain

NAME = "evidence.jsonl"
HEADER, CLAIM, END = "header", "claim", "end"  # what a line is
ADDED = ("record", "seq")  # what the ledger adds to a record, beside the chain's own fields
FORMAT = 2


class LedgerBroken(Problem):
    """The ledger on disk can't be read or written as it stands."""


class Ledger:
    """The records of one run, in the order they were judged.  A second record of a claim is kept: the verdict rules."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def append(self, record: Evidence) -> None:
        """Add one judgement."""
        self.write(CLAIM, plain(record))

    def write(self, kind: str, body: Mapping[str, Any]) -> None:
        """Add one line and wait until the disk has it.  A ledger with a torn last line is not written to."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                before = file.readall()
                if before and not before.endswith(b"\n"):
                    raise self._torn()
                line = chain.line(self._following(before, kind, body))
                while line:
                    line = line[file.write(line) :]
                os.fsync(file.fileno())
            sync_folder(self.path.parent)
        except OSError as error:
            raise LedgerBroken(
                f"a record could not be written: {error.strerror or error}",
                where=str(self.path),
                fix="make room or rights on this disk and run again; the records before it are safe",
            ) from error

    def _following(self, before: bytes, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        count, prev = before.count(b"\n"), chain.START
        if count:
            prev = str(self._object(count, before[:-1].rpartition(b"\n")[2]).get("sha256"))
        return chain.linked({"record": kind, "seq": count, **body}, prev)

    def read(self) -> list[Evidence]:
        """Every judgement, equal to what was appended; a torn last line raises LedgerBroken."""
        records, partial = self.read_partial()
        if partial is not None:
            raise self._torn()
        return records

    def read_partial(self) -> tuple[list[Evidence], str | None]:
        """Every whole judgement, and the text after the last line end where the writing broke off, or None."""
        data = self.data()
        rest = data.rpartition(b"\n")[2]
        records = [self._record(number, entry) for number, entry in self.lines(data) if self._is(entry, CLAIM)]
        return records, rest.decode("utf-8", "replace") if rest else None

    def header(self) -> dict[str, Any] | None:
        """What was declared before looking; None in a ledger without."""
        return next((entry for _, entry in self.lines(self.data()) if self._is(entry, HEADER)), None)

    def ending(self) -> dict[str, Any] | None:
        """How the run ended; None while it has not: what is there is a part of a run."""
        lines = [entry for _, entry in self.lines(self.data())]
        return lines[-1] if lines and self._is(lines[-1], END) else None

    def lines(self, data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each whole line's number and object; one that holds none raises LedgerBroken."""
        whole = data.split(b"\n")[:-1]
        for number, text in enumerate(whole, start=1):
            yield number, self._object(number, text)

    def data(self) -> bytes:
        """The file's bytes; none where nobody wrote it."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise LedgerBroken(
                f"the ledger can't be read: {error.strerror or error}",
                where=str(self.path),
                fix="give this user the right to read it",
            ) from error

    def _object(self, number: int, text: bytes) -> dict[str, Any]:
        try:
            entry = json.loads(text)
            if not isinstance(entry, dict):
                raise ValueError("it is no object")
        except (ValueError, RecursionError) as error:
            raise self._broken(number, error) from error
        if entry.get("record") == HEADER and entry.get("format") != FORMAT:
            raise LedgerBroken(
                f"the ledger is of form {entry.get('format')}, and this version reads forms 1 and {FORMAT}",
                where=f"{self.path}:{number}",
                fix="read it with the version of Beachhead that it names as its product",
            )
        return entry

    @staticmethod
    def _is(entry: Mapping[str, Any], kind: str) -> bool:
        return bool(entry.get("record", CLAIM) == kind)

    def _record(self, number: int, entry: Mapping[str, Any]) -> Evidence:
        try:
            record = typed(Evidence, {key: value for key, value in chain.bare(entry).items() if key not in ADDED})
        except (ValueError, RecursionError) as error:
            raise self._broken(number, error) from error
        assert isinstance(record, Evidence)  # noqa: S101 - for the type checker
        return record

    def _broken(self, number: int, error: Exception) -> LedgerBroken:
        return LedgerBroken(
            f"line {number} is not a record: {error}",
            where=f"{self.path}:{number}",
            fix="the file was changed by hand or by a fault of the disk: restore it, or run again",
        )

    def _torn(self) -> LedgerBroken:
        return LedgerBroken(
            "the last record is torn: the machine or the process stopped while it was being written",
            where=str(self.path),
            fix="run again (each run has its own folder); this file keeps what was judged until then",
        )
