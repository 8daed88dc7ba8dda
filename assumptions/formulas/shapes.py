"""What every formula shares: the refusal, the range, and readers that trust nothing in a config.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GIB = 2**30
LARGEST = 2**31  # no single dimension of a published model comes near it
DEEPEST = 20  # a quantization_config needs four levels


class UnsupportedConfig(ValueError):
    """These formulas can't be right about this model or this argument; the text says why."""


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity known only between `low` and `high`; `mid` is the single best figure."""

    low: float
    mid: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.mid <= self.high:
            raise UnsupportedConfig(f"a range needs low <= mid <= high, not {self.low}, {self.mid}, {self.high}")

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.mid + other.mid, self.high + other.high)

    @property
    def width(self) -> float:
        """High minus low."""
        return self.high - self.low


def whole(config: Mapping[str, Any], key: str, default: int | None = None, *, least: int = 1) -> int:
    """`config[key]` as a whole number from `least`; `default` stands in when the key is absent or null."""
    value = config.get(key)
    if value is None:
        value = default
    return whole_number(key, value, least=least)


def whole_number(name: str, value: object, *, least: int = 1) -> int:
    """`value` when it is a whole number from `least` up to 2**31, else UnsupportedConfig."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < LARGEST:
        raise UnsupportedConfig(f"{name} is {shown(value)}; a whole number from {least} is needed")
    return value


def quantity(name: str, value: object, *, least: float = 0.0, most: float = 1e6) -> float:
    """`value` as a number in least..most, else UnsupportedConfig."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnsupportedConfig(f"{name} is {shown(value)}; a number is needed")
    if not least <= value <= most:  # also refuses NaN, which compares false
        raise UnsupportedConfig(f"{name} is {shown(value)}; it must lie in {least} to {most}")
    return float(value)


def flag(config: Mapping[str, Any], key: str, default: bool = False) -> bool:
    """`config[key]` as true or false."""
    value = config.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise UnsupportedConfig(f"{key} is {shown(value)}; true or false is needed")
    return value


def block(config: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """The object under `key`, or None when there is none."""
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise UnsupportedConfig(f"{key} is {shown(value)}; an object is needed")
    return value


def copied(value: Any, depth: int = 0) -> Any:
    """`value` copied all through, so that a later change of the original reaches no one; refused when nested deep."""
    if depth > DEEPEST:
        raise UnsupportedConfig(f"the configuration is nested more than {DEEPEST} deep")
    if isinstance(value, Mapping):
        return {key: copied(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [copied(item, depth + 1) for item in value]
    return value


def words(config: Mapping[str, Any], *keys: str) -> tuple[str, ...]:
    """The first of `keys` that is present, as a list of strings."""
    for key in keys:
        value = config.get(key)
        if value is None:
            continue
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise UnsupportedConfig(f"{key} is {shown(value)}; a list of names is needed")
        if not all(isinstance(item, str) for item in value):
            raise UnsupportedConfig(f"{key} holds something other than names")
        return tuple(value)
    return ()


def name_of(config: Mapping[str, Any], key: str) -> str:
    """The text under `key`; empty when there is none or it is no text."""
    value = config.get(key)
    return value if isinstance(value, str) else ""


def shown(value: object) -> str:
    """`value` as Python writes it, cut to 60 characters."""
    try:
        return repr(value)[:60]
    except ValueError:  # an int with more digits than Python prints
        return "a number too long to print"
