"""The claims: the listing of this folder.  A file without an underscore is one claim; a broken one fails loudly."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import assumptions
from assumptions._core import Assumption, Stage
from assumptions._verdict import Key
from inventories.errors import BadInput

Claim = Assumption[Any]


def _names() -> list[str]:
    """The modules that hold a claim each."""
    found = (m.name for m in pkgutil.iter_modules(assumptions.__path__) if not m.ispkg)
    return sorted(name for name in found if not name.startswith("_"))


def _is_a_file(name: str) -> bool:
    """Whether one of the folders has that module: a listing of them all takes a plan too long to ask for each claim."""
    return name.isidentifier() and any((Path(folder) / f"{name}.py").is_file() for folder in assumptions.__path__)


@cache
def _claim(name: str) -> Claim:
    found: Claim = importlib.import_module(f"assumptions.{name}").ASSUMPTION
    if found.id != name.replace("_", "-"):
        raise ImportError(f"assumptions/{name}.py: its claim is called {found.id!r}, not {name.replace('_', '-')!r}")
    return found


def claims() -> tuple[Claim, ...]:
    """Every claim, by id.  A file's name is its claim's id with underscores."""
    return tuple(map(_claim, _names()))


def claim(claim_id: str) -> Claim:
    """One claim; an unknown id is BadInput."""
    name = claim_id.replace("-", "_")
    if claim_id.isascii() and "_" not in claim_id and claim_id[:1].isalnum() and _is_a_file(name):
        return _claim(name)
    ids = ", ".join(each.replace("_", "-") for each in _names())
    raise BadInput(f"there is no claim called {claim_id!r}", where="--only", fix=f"one or more of: {ids}")


def at(stage: Stage) -> tuple[Claim, ...]:
    """The claims that are judged at one stage.

    A file that names other stages and not this one is left unread, which saves a plan most of its imports; one that
    names none is imported, so that a broken file is still heard.
    """
    possible = (name for name in _names() if stage in _written(name) or not _written(name))
    return tuple(known for known in map(_claim, possible) if stage in known.stages)


@cache
def _written(name: str) -> frozenset[Stage]:
    """The stages whose names stand in a claim's file."""
    files = (Path(folder) / f"{name}.py" for folder in assumptions.__path__)
    text = next(file for file in files if file.exists()).read_text(encoding="utf-8")
    return frozenset(stage for stage in Stage if f"Stage.{stage.name}" in text)


def keys(stages: Iterable[Stage] = tuple(Stage), only: Sequence[str] = ()) -> tuple[Key, ...]:
    """Claim and stage of every judgement that is due."""
    return tuple((known.id, stage) for stage in stages for known in at(stage) if not only or known.id in only)
