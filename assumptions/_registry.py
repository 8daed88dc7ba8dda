"""The claims: the listing of this folder.  A file without an underscore is one claim; a broken one fails loudly."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import assumptions
from assumptions._core import Assumption, Stage
from assumptions._verdict import Key
from inventories.errors import BadInput

Claim = Assumption[Any]


@cache
def claims() -> tuple[Claim, ...]:
    """Every claim, by id.  A file's name is its claim's id with underscores."""
    names = [m.name for m in pkgutil.iter_modules(assumptions.__path__) if not m.ispkg and not m.name.startswith("_")]
    found = []
    for name in sorted(names):
        claim: Claim = importlib.import_module(f"assumptions.{name}").ASSUMPTION
        if claim.id != name.replace("_", "-"):
            raise ImportError(
                f"assumptions/{name}.py: its claim is called {claim.id!r}, not {name.replace('_', '-')!r}"
            )
        found.append(claim)
    return tuple(found)


def claim(claim_id: str) -> Claim:
    """One claim; an unknown id is BadInput."""
    for known in claims():
        if known.id == claim_id:
            return known
    ids = ", ".join(known.id for known in claims())
    raise BadInput(f"there is no claim called {claim_id!r}", where="--only", fix=f"one or more of: {ids}")


def at(stage: Stage) -> tuple[Claim, ...]:
    """The claims that are judged at one stage."""
    return tuple(known for known in claims() if stage in known.stages)


def keys(stages: Iterable[Stage] = tuple(Stage), only: Sequence[str] = ()) -> tuple[Key, ...]:
    """Claim and stage of every judgement that is due."""
    return tuple((known.id, stage) for stage in stages for known in at(stage) if not only or known.id in only)
