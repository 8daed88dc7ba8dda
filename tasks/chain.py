"""Lines that hold each other: every entry carries the digest of the one before, and its own.

`sums` names which field of an entry was changed; `sha256` is what the next entry and a signature rest on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

START = "0" * 64  # what the first entry carries as `prev`
LINKS = ("prev", "sums", "sha256")
SHORT = 12  # hex digits of a field's sum: they point at a field, `sha256` is what holds


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold: the line, counted from 1, the field where it can be told, and what is wrong."""

    line: int
    field: str
    why: str


def spelled(value: Any) -> bytes:
    """One spelling of a JSON value: no spaces, ASCII, keys as they stand.  NaN and infinity raise ValueError."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def digest(value: Any) -> str:
    """SHA-256 of the spelling, in hex; the order of keys counts, because a judge may see it."""
    return sha256(spelled(value))


def sha256(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def line(entry: Mapping[str, Any]) -> bytes:
    """The entry as one line of a file."""
    return spelled(entry) + b"\n"


def linked(entry: Mapping[str, Any], prev: str) -> dict[str, Any]:
    """The entry with `prev`, the sums of its fields, and its own digest."""
    body = {**entry, "prev": prev, "sums": {key: digest(value)[:SHORT] for key, value in entry.items()}}
    return {**body, "sha256": digest(body)}


def bare(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry without what ties it to others."""
    return {key: value for key, value in entry.items() if key not in LINKS}


def entries(data: bytes) -> Iterator[tuple[int, dict[str, Any] | None, bytes]]:
    """Each line's number, its object (None where it holds none), and its bytes without the line end."""
    for number, text in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            entry = json.loads(text)
        except (ValueError, RecursionError):
            entry = None
        yield number, entry if isinstance(entry, dict) else None, text


def breaks(data: bytes) -> list[Break]:
    """Everywhere that the chain in a file does not hold; nothing where it does."""
    found, prev = [], START
    if data and not data.endswith(b"\n"):
        found.append(Break(data.count(b"\n") + 1, "", "the last line is torn"))
    for number, entry, text in entries(data):
        if entry is None:
            return [*found, Break(number, "", "not a JSON object")]
        found += [Break(number, field, why) for field, why in _faults(entry, text, prev)]
        prev = str(entry.get("sha256"))
    return found


def _faults(entry: Mapping[str, Any], text: bytes, prev: str) -> Iterator[tuple[str, str]]:
    sums, body = entry.get("sums"), bare(entry)
    if not isinstance(sums, dict):
        yield "sums", "the entry carries no sums of its fields"
        return
    for key in sorted({*sums, *body}):
        if key not in body:
            yield key, "the field is gone"
        elif key not in sums:
            yield key, "the field was added"
        elif sums[key] != digest(body[key])[:SHORT]:
            yield key, "the field was changed"
    if entry.get("prev") != prev:
        yield "prev", "it does not follow the line before"
    if entry.get("sha256") != digest({key: value for key, value in entry.items() if key != "sha256"}):
        yield "sha256", "the entry is not the one that its digest was made of"
    if line(entry) != text + b"\n":
        yield "", "its spelling was changed"
