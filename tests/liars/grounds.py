"""Every ground that this inventory's drill can be played on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from assumptions._core import Stage
from assumptions._served import slot
from flows.drill_pairs import Ground
from inventories.figures import model
from inventories.schema import Inventory
from tests.liars import catalogue
from tests.liars.checkpoint import MOST_BYTES, SPOILT, CheckpointGround, CopySite
from tests.liars.figures import PlanGround, RecordedGround
from tests.liars.scripted import ScriptedGround
from tests.liars.served import LyingSite, ServedGround

WEIGHTS = {
    "weights-intact": tuple(row[0] for row in SPOILT),
    "huggingface-structure": (
        "shard-missing",
        "shard-cut",
        "header-broken",
        "config-missing",
        "index-disagrees",
        "tokenizer-missing",
    ),
}


def grounds(inventory: Inventory, folder: Path, held: Callable[[], Any]) -> list[Ground]:
    """Quick ones first; nothing is opened yet.  `held` keeps other runs away while one judgement lasts."""
    found: list[Ground] = [RecordedGround(), PlanGround(folder), ScriptedGround(folder)]
    if model(inventory.model.catalog).checkpoint_bytes.value <= MOST_BYTES:
        found.append(CheckpointGround(CopySite(inventory, folder), WEIGHTS, held))
    site = LyingSite(inventory, folder)
    lies = catalogue.lies(site.api_key, inventory.model.catalog, inventory.serving.context_tokens)
    found.append(ServedGround(site, lies, catalogue.cases(), catalogue.RIGHT, held))
    return found


def ready(inventory: Inventory, folder: Path) -> None:
    """Raise, with what to do, where the inventory's release is not served."""
    site = LyingSite(inventory, folder)
    try:
        slot(site, Stage.STAGING)
    finally:
        site.close()
