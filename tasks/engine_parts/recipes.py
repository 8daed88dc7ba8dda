"""What a model needs of any engine: a least version, code of its own, a thinking switch.  From the catalog's recipe."""

from __future__ import annotations

import re

from inventories.errors import BadInput
from inventories.figures import ModelCard, model
from inventories.schema import Inventory


def card(inventory: Inventory) -> ModelCard:
    """The catalog's entry of the model that is served."""
    return model(inventory.model.catalog)


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: 0.5.5.post2 is (0, 5, 5)."""
    return tuple(int(part) for part in re.findall(r"(?:^|\.)(\d+)(?=\.|$|[a-z+-])", version))


def new_enough(inventory: Inventory) -> None:
    """BadInput where the recipe names a newer version of this engine as the least."""
    kind, version = inventory.engine.kind, inventory.engine.version
    recipe = card(inventory).recipe
    least = recipe.least.get(kind, "") if recipe else ""
    if least and numbers(version) < numbers(least):
        raise BadInput(
            f"{card(inventory).title} needs {kind} {least} or newer ({recipe.source if recipe else ''})",
            where=f"inventory {inventory.name}: engine.version {version}",
            fix=f"take {kind} {least} or newer, with its lock or image",
        )


def own_code(inventory: Inventory, asked: bool | None) -> str:
    """The checkpoint's own module that the engine must run, "" for none; BadInput where it is needed and refused."""
    recipe = card(inventory).recipe
    needed = recipe.own_code if recipe else ""
    if asked is False and needed:
        raise BadInput(
            f"{card(inventory).title} can't be served without its own code: {needed} is its tokenizer",
            where=f"inventory {inventory.name}: engine.options.trust_remote_code",
            fix="leave it out: the file is pinned by the model's commit and checked by digest like every other",
        )
    return needed or ("asked for by the inventory" if asked else "")


def thinking(inventory: Inventory, asked: bool | None) -> tuple[str, bool] | None:
    """Name and value for the chat template's switch, None where nothing is asked; BadInput where there is none."""
    if asked is None:
        return None
    recipe = card(inventory).recipe
    if recipe is None or not recipe.thinking_switch:
        raise BadInput(
            f"{card(inventory).title} has no switch for thinking that is known here",
            where=f"inventory {inventory.name}: engine.options.thinking",
            fix="leave it out; a request's thinking_token_budget bounds the thinking instead",
        )
    return recipe.thinking_switch, asked


def sees(inventory: Inventory, option: str) -> None:
    """BadInput for an option about images where the model has no vision."""
    recipe = card(inventory).recipe
    if recipe is not None and not recipe.vision:
        raise BadInput(
            f"{card(inventory).title} takes text alone",
            where=f"inventory {inventory.name}: engine.options.{option}",
            fix="leave it out",
        )
