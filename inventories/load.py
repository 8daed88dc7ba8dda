"""Which inventories there are, and one of them by name.  The registry is the listing of inventories/*.yaml.

Further folders come from BEACHHEAD_INVENTORIES, separated as in PATH.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

from inventories import figures, reading
from inventories.errors import BadInput
from inventories.schema import Inventory
from inventories.validating import nearest, validated

HERE = Path(__file__).resolve().parent
SCHEMA_FILE = HERE / "inventory.schema.json"
FOLDERS_VARIABLE = "BEACHHEAD_INVENTORIES"


def names() -> list[str]:
    """Every inventory that load() finds by name, sorted."""
    return sorted({path.stem for path in _files()})


def load(name_or_path: str) -> Inventory:
    """The inventory of that name, or in that .yaml file; every fault is one BadInput."""
    path = _find(str(name_or_path))
    inventory = validated(Inventory, reading.read(path), str(path))
    if inventory.name != path.stem:
        what = f"the file is called {path.name}, but it declares the name {inventory.name!r}"
        raise BadInput(
            what, where=str(path), fix=f"write name: {path.stem}, or rename the file to {inventory.name}.yaml"
        )
    _catalog_knows(inventory, path)
    return inventory


def overridden(inventory: Inventory, *, context_tokens: int | None = None) -> Inventory:
    """A copy with the given values in place of the declared ones, validated again."""
    data = inventory.model_dump()
    if context_tokens is not None:
        data["serving"]["context_tokens"] = context_tokens
    return validated(Inventory, data, f"inventory {inventory.name}, with what the command line overrides")


def schema_text() -> str:
    """The JSON schema of an inventory file, as inventory.schema.json holds it."""
    return json.dumps(Inventory.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _folders() -> Iterator[Path]:
    yield HERE
    for entry in os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep):
        if not entry.strip():
            continue
        folder = Path(entry.strip()).expanduser()
        if not folder.is_dir():
            where = f"environment variable {FOLDERS_VARIABLE}"
            raise BadInput(f"{entry.strip()!r} is not a folder", where=where, fix="name existing folders, or unset it")
        yield folder


def _files() -> Iterator[Path]:
    seen = set[Path]()
    for folder in _folders():
        if folder.resolve() not in seen:
            seen.add(folder.resolve())
            yield from (path for path in folder.glob("*.yaml") if not path.name.startswith("."))


def _find(wanted: str) -> Path:
    if wanted.endswith(".yaml"):
        return Path(wanted).expanduser()
    found = [path for path in _files() if path.stem == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        places = " and ".join(str(path) for path in found)
        raise BadInput(f"inventory {wanted!r} exists twice", where=places, fix="rename one, or give the file's path")
    known = names()
    near = nearest(wanted, known)
    hint = f"did you mean {' or '.join(near)}?  " if near else ""
    where = os.pathsep.join(str(folder) for folder in _folders())
    fix = f"{hint}Known: {', '.join(known)}.  A path must end in .yaml"
    raise BadInput(f"unknown inventory {wanted!r}", where=where, fix=fix)


def _catalog_knows(inventory: Inventory, path: Path) -> None:
    """Refuse a GPU or model id that the catalog doesn't have."""
    named = [(f"hosts.{n}.gpu", host.gpu, "gpus.yaml") for n, host in enumerate(inventory.hosts) if host.gpu]
    named.append(("model.catalog", inventory.model.catalog, "models.yaml"))
    named += [(f"probes.{n}.catalog", probe.catalog, "models.yaml") for n, probe in enumerate(inventory.probes)]
    known = {"gpus.yaml": list(figures.gpus()), "models.yaml": list(figures.models())}
    faults = [(at, id, file) for at, id, file in named if id not in known[file]]
    if not faults:
        return
    lines = "".join(f"\n  {at}: not in the catalog (got {id!r})" for at, id, _ in faults)
    fixes = [
        f"{at}: write {' or '.join(nearest(id, known[file]) or known[file])}, or add {id} to catalog/{file}"
        for at, id, file in faults
    ]
    raise BadInput(f"the catalog lacks what the inventory names:{lines}", where=str(path), fix="; ".join(fixes))


def main() -> None:
    """Write inventories/inventory.schema.json, which editors check the YAML files with."""
    parser = argparse.ArgumentParser(prog="python -m inventories.load", description=main.__doc__)
    parser.add_argument("--write-schema", action="store_true", required=True, help=f"write {SCHEMA_FILE.name}")
    parser.parse_args()
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
