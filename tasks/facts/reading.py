"""What the parsers of host facts share: a value or why there is none, and strict readers of small texts.

The readers raise ValueError; `understood` turns that into NotUnderstood.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tasks.facts.base import NotUnderstood

T = TypeVar("T")
Self = TypeVar("Self")
MARK = "@@ "
_WHOLE = re.compile(r"[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,12})?")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """`value` as the tool gave it, or None and the tool's own words for why not."""

    value: T | None
    why_not: str = ""


def understood(parse: Callable[[Self, str], T]) -> Callable[[Self, str], T]:
    """A parser whose every failure to read is NotUnderstood."""

    @functools.wraps(parse)
    def read(fact: Self, stdout: str) -> T:
        try:
            return parse(fact, stdout)
        except (ValueError, IndexError, KeyError, RecursionError):
            raise NotUnderstood(fact, stdout) from None

    return read


def whole(text: str) -> int:
    """A non-negative integer in ASCII digits."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"not a whole number: {text[:40]!r}")
    return int(text)


def number(text: str) -> float:
    """A decimal number without exponent."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"not a number: {text[:40]!r}")
    return float(text)


def choice(text: str, yes: str, no: str) -> bool:
    """True for the one word, False for the other."""
    if text not in (yes, no):
        raise ValueError(f"neither {yes} nor {no}: {text[:40]!r}")
    return text == yes


def filled(text: str) -> str:
    """A text that is not empty."""
    if not text.strip():
        raise ValueError("empty")
    return text.strip()


def fields(stdout: str, *names: str) -> tuple[str, ...]:
    """The values of "name=value" lines: exactly these names, in this order, and nothing else."""
    found = [line.partition("=") for line in stdout.splitlines()]
    if tuple(name for name, _, _ in found) != names or any(not equals for _, equals, _ in found):
        raise ValueError("other lines than expected")
    return tuple(value.strip() for _, _, value in found)


def sections(stdout: str, *names: str) -> tuple[list[str], ...]:
    """The lines below each "@@ name": exactly these names, in this order, and nothing before the first."""
    found: list[tuple[str, list[str]]] = []
    for line in stdout.splitlines():
        if line.startswith(MARK):
            found.append((line.removeprefix(MARK), []))
        elif found:
            found[-1][1].append(line)
        elif line.strip():
            raise ValueError("text before the first section")
    if tuple(name for name, _ in found) != names:
        raise ValueError("other sections than expected")
    return tuple(lines for _, lines in found)


def match(pattern: str, text: str) -> re.Match[str]:
    """The whole of `text` as `pattern` reads it."""
    found = re.fullmatch(pattern, text)
    if found is None:
        raise ValueError(f"doesn't read as {pattern}: {text[:80]!r}")
    return found


def plain(text: str) -> str:
    """`text` without terminal colours, which some tools print into pipes too."""
    return _COLOUR.sub("", text)


def needs(tool: str) -> str:
    """A shell command that ends everything with status 127 where `tool` is not installed, for users of any PATH."""
    absent = f"{{ echo '{tool}: not found' >&2; exit 127; }}"
    return f"PATH=$PATH:/usr/sbin:/sbin; command -v {tool} >/dev/null 2>&1 || {absent}"
