"""By what a claim is judged, fixed before anything is looked at: its code, its thresholds, inventory and catalog.

A threshold follows from the claim's code, the inventory and the catalog; the digests of the three hold it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import assumptions
from assumptions._registry import Claim
from inventories import figures
from inventories.schema import Inventory
from tasks import chain

_IMPORTED = re.compile(r"^from (assumptions[\w.]*) import (\([^)]*\)|.*)$|^import (assumptions\.[\w.]+)", re.M)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one claim is judged by.  `source_sha256` covers its file and what of this folder that imports."""

    version: int
    severity: str
    source_sha256: str
    thresholds: Mapping[str, Any]  # the named constants of its file
    threshold_sha256: str  # of all of it, inventory and catalog included


def terms(claim: Claim, inventory_sha256: str, catalog_sha256: str) -> Terms:
    """The terms of one claim under this inventory and this catalog."""
    source = source_sha256(f"assumptions.{claim.id.replace('-', '_')}")
    constants = _constants(f"assumptions.{claim.id.replace('-', '_')}")
    whole = [claim.id, claim.version, str(claim.severity), source, constants, inventory_sha256, catalog_sha256]
    return Terms(claim.version, str(claim.severity), source, constants, chain.digest(whole))


def inventory_sha256(inventory: Inventory) -> str:
    """Of the inventory as it was read, defaults filled in."""
    return chain.digest(inventory.model_dump(mode="json"))


def catalog_files() -> dict[str, bytes]:
    """The catalog's data files by their path inside it."""
    root = figures.FOLDER
    files = sorted(path for path in root.rglob("*") if path.suffix in (".yaml", ".json") and path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def catalog_sha256(files: Mapping[str, bytes] | None = None) -> str:
    """Of the catalog's names and contents; without `files`, of this installation's."""
    found = catalog_files() if files is None else files
    return chain.digest({name: chain.sha256(found[name]) for name in sorted(found)})


@cache
def source_sha256(module: str) -> str:
    """Of the text of a module and of every module of this package that it imports, directly or not."""
    texts = {name: chain.sha256(_text(name)) for name in sorted(_reached([module]))}
    return chain.digest(texts)


def _reached(modules: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    rest = list(modules)
    while rest:
        name = rest.pop()
        if name not in seen and _text(name):
            seen.add(name)
            rest += _imports(name)
    return seen


@cache
def _imports(module: str) -> tuple[str, ...]:
    """The modules of this package that stand in a module's import lines; a name that is no module is left out later."""
    found = []
    for package, names, plain in _IMPORTED.findall(_text(module).decode("utf-8")):
        listed = re.findall(r"\w+", re.sub(r" as \w+|#.*", "", names))
        found += [plain] if plain else [package, *(f"{package}.{name}" for name in listed)]
    return tuple(found)


@cache
def _text(module: str) -> bytes:
    """A module's source; none where there is no such module."""
    _, *parts = module.split(".")
    for folder in assumptions.__path__ if parts else ():
        file = Path(folder, *parts).with_suffix(".py")
        if file.is_file():
            return file.read_bytes()
    return b""


def _constants(module: str) -> dict[str, Any]:
    """The upper-case names of a module whose values are numbers, texts, or tuples of them."""
    try:
        found = vars(importlib.import_module(module))
    except ModuleNotFoundError:
        return {}
    return {name: value for name, value in sorted(found.items()) if name.isupper() and _simple(value)}


def _simple(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_simple(each) for each in value)
    return type(value) in (int, float, str, bool) and value == value and abs(len(str(value))) < 2_000
