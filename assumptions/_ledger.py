"""The ledger on disk: one JSON line per claim and stage, on the platter before the next claim is judged."""

from __future__ import annotations

import fcntl
import json
import math
import os
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from assumptions._core import Evidence
from inventories.errors import Problem

NAME = "evidence.jsonl"


class LedgerBroken(Problem):
    """The ledger on disk can't be read or written as it stands."""


class Ledger:
    """The records of one run, in the order they were judged.  A second record of a claim is kept: the verdict rules."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def append(self, record: Evidence) -> None:
        """Add one line and wait until the disk has it.  A ledger with a torn last line is not written to."""
        line = (json.dumps(_plain(record), separators=(",", ":")) + "\n").encode("ascii")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                    raise self._torn()
                while line:
                    line = line[file.write(line) :]
                os.fsync(file.fileno())
            _sync_folder(self.path.parent)
        except OSError as error:
            raise LedgerBroken(
                f"a record could not be written: {error.strerror or error}",
                where=str(self.path),
                fix="make room or rights on this disk and run again; the records before it are safe",
            ) from error

    def read(self) -> list[Evidence]:
        """Every record, equal to what was appended; a torn last line raises LedgerBroken."""
        records, partial = self.read_partial()
        if partial is not None:
            raise self._torn()
        return records

    def read_partial(self) -> tuple[list[Evidence], str | None]:
        """Every whole record, and the text after the last line end where the writing broke off, or None."""
        try:
            *whole, rest = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return [], None
        except OSError as error:
            raise LedgerBroken(
                f"the ledger can't be read: {error.strerror or error}",
                where=str(self.path),
                fix="give this user the right to read it",
            ) from error
        records = [self._record(number, line) for number, line in enumerate(whole, start=1)]
        return records, rest.decode("utf-8", "replace") if rest else None

    def _record(self, number: int, line: bytes) -> Evidence:
        try:
            record = _typed(Evidence, json.loads(line))
        except (ValueError, RecursionError) as error:
            raise LedgerBroken(
                f"line {number} is not a record: {error}",
                where=f"{self.path}:{number}",
                fix="the file was changed by hand or by a fault of the disk: restore it, or run again",
            ) from error
        assert isinstance(record, Evidence)  # noqa: S101 - for the type checker
        return record

    def _torn(self) -> LedgerBroken:
        return LedgerBroken(
            "the last record is torn: the machine or the process stopped while it was being written",
            where=str(self.path),
            fix="run again (each run has its own folder); this file keeps what was judged until then",
        )


def write_json(path: Path, value: object) -> None:
    """Write `value` (dataclasses, enums and times included) so that `path` is the old file or the whole new one."""
    write_whole(path, json.dumps(_plain(value), indent=2, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write UTF-8 text to a neighbour, wait for the disk, and rename it over `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(text.encode("utf-8", "replace"))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(value: Any) -> Any:
    """What JSON can say.  Times become UTC ISO text; a number that JSON has no word for becomes its name."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"a time without a time zone can't be recorded: {value}")
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    return str(value) if isinstance(value, Path) else value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(kind: Any, value: Any) -> Any:
    """The inverse of _plain for one declared type; ValueError where the value is something else."""
    if get_origin(kind) is UnionType:
        return None if value is None else _typed(next(k for k in get_args(kind) if k is not type(None)), value)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_typed(get_args(kind)[0], item) for item in value)
    if is_dataclass(kind) and isinstance(value, dict):
        hints = _hints(kind)  # type: ignore[arg-type]
        if set(hints) != set(value):
            raise ValueError(f"fields differ: {', '.join(sorted(set(hints) ^ set(value)))}")
        return kind(**{name: _typed(hints[name], item) for name, item in value.items()})  # type: ignore[operator]
    if kind is datetime and isinstance(value, str):
        return datetime.fromisoformat(value)
    if kind is float and (value in ("nan", "inf", "-inf") or (isinstance(value, int) and not isinstance(value, bool))):
        return float(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if isinstance(kind, type) and type(value) is kind:
        return value
    raise ValueError(f"{str(value)[:60]!r} where {getattr(kind, '__name__', kind)} belongs")
