"""A run in the words of other tools.  A format is one file of this folder that holds `export`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import assumptions._exports
from assumptions._core import Evidence
from assumptions._ledger import Ledger
from inventories.errors import BadInput


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export is made of; `decision` is "not ended" for a part of a run."""

    run: str
    inventory: str
    product: str
    decision: str
    because: str
    records: tuple[Evidence, ...]


Export = Callable[[Exported], str]


def names() -> list[str]:
    """Every format: the listing of this folder."""
    return sorted(m.name for m in pkgutil.iter_modules(assumptions._exports.__path__) if m.name != "base")


def exported(folder: Path, name: str) -> str:
    """The run in one format; BadInput for an unknown one."""
    if name not in names():
        raise BadInput(f"there is no format called {name!r}", where="--as", fix=f"one of: {', '.join(names())}")
    export: Export = importlib.import_module(f"assumptions._exports.{name}").export
    return export(content(folder))


def content(folder: Path) -> Exported:
    """What a run's ledger says."""
    ledger = Ledger(folder)
    records = tuple(ledger.read_partial()[0])
    header, ending = ledger.header() or {}, ledger.ending()
    verdict = ending["verdict"] if ending else {"decision": "not ended", "because": "this is a part of a run"}
    return Exported(
        run=str(header.get("run", folder.name)),
        inventory=str(header.get("inventory", folder.parent.name)),
        product=str(header.get("product") or (records[0].product if records else "beachhead")),
        decision=str(verdict["decision"]),
        because=str(verdict["because"]),
        records=records,
    )
