"""What the claims about the model's quality share: what a made-up model can't show, files beside, rates by interval."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assumptions._core import Part
from assumptions._parts import check
from assumptions.formulas.intervals import at_least, wilson
from inventories.errors import BadInput
from inventories.schema import Inventory
from tasks.site import Site

MADE_UP = "the rehearsal's checkpoint is made up and knows one sentence: nothing is seen of Kimi's own quality"
HOW = "docs/how-to/measure-quality.md"


@dataclass(frozen=True, slots=True)
class Beside:
    """A file on this machine: its bytes stay out of the record, its digest is in it."""

    path: str
    sha256: str
    content: bytes


def made_up(inventory: Inventory) -> Iterator[Part]:
    """One part that can't be known in a rehearsal; none elsewhere."""
    if inventory.kind == "rehearsal":
        yield check("kimi's quality", None, MADE_UP, expected="Kimi's own weights")


def beside(site: Site, path: str | Path) -> Beside:
    """The file's bytes, with its digest on the trail.  BadInput where it can't be read."""
    file = Path(path).expanduser().absolute()
    try:
        content = file.read_bytes()
    except OSError as error:
        fix = "put it there, or name another one under `quality:` in the inventory"
        raise BadInput(f"it can't be read: {error.strerror or error}", where=str(file), fix=fix) from None
    sha256 = hashlib.sha256(content).hexdigest()
    site.trail.record("file", path=str(file), bytes=len(content), file_sha256=sha256)
    return Beside(str(file), sha256, content)


def reference_path(inventory: Inventory) -> Path:
    """Where the model's reference lies: as declared, else $BEACHHEAD_REFERENCES or references/, by the model's id."""
    if inventory.quality.reference:
        return Path(inventory.quality.reference).expanduser().absolute()
    folder = Path(os.environ.get("BEACHHEAD_REFERENCES") or "references")
    return folder.absolute() / f"{inventory.model.catalog}.json"


def rate_part(name: str, hits: int, trials: int, floor: float, said: str) -> Part:
    """Whether a rate reaches the floor by the unfavourable end of its 95 % interval; UNKNOWN between the ends."""
    low, high = wilson(hits, trials)
    told = f"{said}: {hits} of {trials}, 95 % from {low:.3f} to {high:.3f}"
    measured = f"{hits / trials:.4f}" if trials else "nothing"
    return check(name, at_least((low, high), floor), told, expected=f">= {floor:g}", measured=measured)
