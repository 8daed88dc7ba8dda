"""Reads a Range header as RFC 9110 section 14 wants it."""

from __future__ import annotations

import re

_ONE = re.compile(r"bytes=(\d*)-(\d*)")


class Unsatisfiable(Exception):
    """The range is well-formed and lies outside the body: the answer is 416."""


def byte_range(header: str | None, size: int) -> range | None:
    """Which bytes are asked for, or None for the whole: no header, several ranges, or not well-formed."""
    match = _ONE.fullmatch((header or "").replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= stop:
        raise Unsatisfiable
    return range(start, stop)
