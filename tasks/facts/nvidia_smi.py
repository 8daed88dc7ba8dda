"""The tables of `nvidia-smi --query-…`: columns by name, cells with their unit, and its ways to say "no value".

The output is parsed with its header, so that a driver that renames or reorders a column is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from tasks.facts.reading import Reading, choice, filled, number, whole

T = TypeVar("T")
NO_VALUE = frozenset({"", "N/A", "ERR!", "Unknown Error", "Unknown", "Not Supported", "GPU is lost", "Not Found"})


def query(kind: str, columns: tuple[str, ...]) -> str:
    """The command line that prints `columns`; an unknown column makes it fail with status 2."""
    return f"LC_ALL=C nvidia-smi --query-{kind}={','.join(columns)} --format=csv"


def cells(stdout: str, columns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The cells of every row in the order of `columns`; ValueError where a column is missing or a row is torn."""
    lines = [line for line in stdout.splitlines() if line.strip()]
    header = [title.partition(" [")[0] for title in lines[0].split(", ")]
    places = [header.index(column) for column in columns]
    for line in lines[1:]:
        row = [cell.strip() for cell in line.split(",")]
        if len(row) != len(header):
            raise ValueError("a row of another length than the header")
        yield tuple(row[place] for place in places)


def reading(cell: str, read: Callable[[str], T]) -> Reading[T]:
    """The cell's value, or the tool's own words where it has none ("[N/A]", "ERR!", "[GPU is lost]", …)."""
    if cell in NO_VALUE or (cell.startswith("[") and cell.endswith("]")):
        return Reading(None, cell or "empty")
    return Reading(read(cell))


def count(cell: str) -> Reading[int]:
    """A number without unit."""
    return reading(cell, whole)


def text(cell: str) -> Reading[str]:
    """Any text."""
    return reading(cell, filled)


def mode(cell: str) -> Reading[bool]:
    """Enabled or Disabled."""
    return reading(cell, lambda word: choice(word, "Enabled", "Disabled"))


def yes(cell: str) -> Reading[bool]:
    """Yes or No; 1 or 0 in some drivers."""
    return reading(cell, lambda word: choice({"1": "Yes", "0": "No"}.get(word, word), "Yes", "No"))


def active(cell: str) -> Reading[bool]:
    """Active or Not Active."""
    return reading(cell, lambda word: choice(word, "Active", "Not Active"))


def mib(cell: str) -> Reading[int]:
    """Mebibytes."""
    return reading(cell, lambda value: whole(_unit(value, "MiB")))


def watts(cell: str) -> Reading[float]:
    """Watts."""
    return reading(cell, lambda value: number(_unit(value, "W")))


def mhz(cell: str) -> Reading[int]:
    """Megahertz."""
    return reading(cell, lambda value: whole(_unit(value, "MHz")))


def microseconds(cell: str) -> Reading[int]:
    """Microseconds."""
    return reading(cell, lambda value: whole(_unit(value, "us")))


def _unit(value: str, unit: str) -> str:
    amount, _, given = value.partition(" ")
    if given != unit:
        raise ValueError(f"not in {unit}: {value[:40]!r}")
    return amount
