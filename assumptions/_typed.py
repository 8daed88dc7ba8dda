"""From what JSON says back to a declared type: the inverse of `plain`, by type hints.

pydantic's TypeAdapter would do most of it, but for mappings whose keys are tuples, and it takes as long to set up as a
plan has time.
"""

from __future__ import annotations

import ast
import collections.abc as abc
import json
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from assumptions._plain import plain

Bound = Mapping[Any, Any]  # what a generic record's type variables stand for
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping)
_ROWS = {list: list, set: set, frozenset: frozenset, abc.Sequence: tuple, abc.Set: frozenset, abc.Collection: tuple}
_NOT_FINITE = ("nan", "inf", "-inf")
_SCALARS = (str, int, float, bool)


def typed(kind: Any, value: Any, bound: Bound | None = None) -> Any:
    """The value as `kind`; ValueError where it is something else."""
    if type(value) is kind and kind in _SCALARS:  # most of a record
        return value
    origin, inner = get_origin(kind), get_args(kind)
    if isinstance(kind, TypeVar):
        return typed((bound or {}).get(kind, Any), value)
    if kind in (Any, object) or kind in (dict, list, abc.Mapping):
        return value
    if origin is Annotated:
        return typed(inner[0], value, bound)
    if origin in (Union, UnionType):
        return _union(inner, value, bound)
    if origin is Literal and any(value == each and type(value) is type(each) for each in inner):
        return value
    if origin in _MAPPINGS:
        return _mapping(inner, value, bound)
    if origin is tuple and isinstance(value, list):
        return _tuple(inner, value, bound)
    if origin in _ROWS and isinstance(value, list):
        return _ROWS[origin](typed(inner[0], item, bound) for item in value)
    record = origin if is_dataclass(origin) else kind
    if is_dataclass(record) and isinstance(value, dict):
        return _record(record, inner, value)
    if isinstance(kind, type):
        return _one(kind, value)
    raise ValueError(f"{str(value)[:60]!r} where {getattr(kind, '__name__', kind)} belongs")


def _one(kind: type, value: Any) -> Any:
    if from_there := getattr(kind, "put_off", None):
        return typed(getattr(import_module(from_there[0]), from_there[1]), value)
    if (kind is float and type(value) is int) or (kind is float and value in _NOT_FINITE):
        return float(value)
    if issubclass(kind, (datetime, date)) and isinstance(value, str):
        return kind.fromisoformat(value)
    if issubclass(kind, Enum):
        return kind(value)
    if issubclass(kind, BaseModel):
        return kind.model_validate(value)
    if issubclass(kind, PurePath) and isinstance(value, str):
        return kind(value)
    if type(value) is kind or (kind is int and type(value) is bool):  # to Python a bool is an int
        return value
    raise ValueError(f"{str(value)[:60]!r} where {kind.__name__} belongs")


def _union(kinds: tuple[Any, ...], value: Any, bound: Bound | None) -> Any:
    """The first member whose value is written the same; float last, because it would take an integer."""
    if value is None and NoneType in kinds:
        return None
    for kind in sorted((each for each in kinds if each is not NoneType), key=lambda each: each is float):
        try:
            found = typed(kind, value, bound)
            if plain(found) == value:
                return found
        except (ValueError, TypeError):
            continue
    raise ValueError(f"{str(value)[:60]!r} is none of {', '.join(getattr(k, '__name__', str(k)) for k in kinds)}")


def _mapping(kinds: tuple[Any, ...], value: Any, bound: Bound | None) -> dict[Any, Any]:
    pairs = value.items() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list)):
        raise ValueError(f"{str(value)[:60]!r} where a mapping belongs")
    number = kinds[0] in (int, float, bool)
    return {
        typed(kinds[0], json.loads(key) if number else key, bound): typed(kinds[1], item, bound) for key, item in pairs
    }


def _tuple(kinds: tuple[Any, ...], value: list[Any], bound: Bound | None) -> tuple[Any, ...]:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(typed(kinds[0], item, bound) for item in value)
    if kinds == ((),) or len(kinds) != len(value):
        raise ValueError(f"{len(value)} values where {len(kinds)} belong")
    return tuple(typed(kind, item, bound) for kind, item in zip(kinds, value, strict=True))


def _record(kind: Any, inner: tuple[Any, ...], value: dict[str, Any]) -> Any:
    hints, bound = _hints(kind), dict(zip(getattr(kind, "__parameters__", ()), inner, strict=False))
    if wrong := (set(value) - set(hints)) | (_needed(kind) - set(value)):
        raise ValueError(f"fields differ: {', '.join(sorted(wrong))}")
    return kind(**{name: typed(hints[name], item, bound) for name, item in value.items()})


@cache
def _needed(kind: Any) -> set[str]:
    """The fields without a default: a record that is older than a field lacks it."""
    return {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}


@cache
def _hints(kind: Any) -> dict[str, Any]:
    try:
        found = get_type_hints(kind)
    except NameError:
        found = get_type_hints(kind, localns=_put_off(kind.__module__))
    return {f.name: found[f.name] for f in fields(kind)}


def _put_off(module: str) -> dict[str, type]:
    """A stand-in for each type that a module imports for the type checker alone; the import is made when one is met."""
    tree = ast.parse(Path(str(sys.modules[module].__file__)).read_text(encoding="utf-8"))
    guarded = [each for each in tree.body if isinstance(each, ast.If) and ast.unparse(each.test) == "TYPE_CHECKING"]
    lines = [line for each in guarded for line in each.body if isinstance(line, ast.ImportFrom)]
    return {
        alias.asname or alias.name: type(alias.name, (), {"put_off": (line.module, alias.name)})
        for line in lines
        for alias in line.names
    }
