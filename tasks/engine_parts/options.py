"""`engine.options` as the shape that an engine's own file declares."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from inventories.errors import BadInput
from inventories.schema import Inventory, Strict

O = TypeVar("O", bound=Strict)  # noqa: E741


def parsed(shape: type[O], inventory: Inventory, file: str) -> O:
    """`engine.options`, validated as `shape` of tasks/`file`; BadInput names every key at fault."""
    try:
        return shape.model_validate(inventory.engine.options)
    except ValidationError as error:
        faults = "; ".join(f"engine.options.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadInput(faults, where=f"inventory {inventory.name}", fix=f"see Options in tasks/{file}") from None
