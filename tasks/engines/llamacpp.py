"""llama.cpp, for GGUF files and unified memory.  It can be planned with; serving it is not built yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from inventories.errors import BadInput
from inventories.schema import Host, Inventory
from tasks.engines.base import Launch
from tasks.facts.base import Fact
from tasks.operations.base import Operation


class LlamaCpp:
    """llama.cpp's server."""

    def check(self, inventory: Inventory) -> None:
        """It takes no options yet."""
        if inventory.engine.options:
            raise BadInput("llamacpp takes no options", where=f"inventory {inventory.name}", fix="leave them out")

    def describe(self, inventory: Inventory) -> str:
        """For a record."""
        return f"llama.cpp ({inventory.engine.version})"

    def installed(self, inventory: Inventory, host: Host) -> Fact[str]:
        """Refused."""
        self._refuse(inventory)

    def install(self, inventory: Inventory, host: Host) -> Iterator[Operation]:
        """Refused."""
        self._refuse(inventory)

    def python(self, inventory: Inventory, host: Host) -> str:
        """Refused."""
        self._refuse(inventory)

    def launch(self, inventory: Inventory, host: Host, model_dir: str) -> Launch:
        """Refused."""
        self._refuse(inventory)

    def _refuse(self, inventory: Inventory) -> NoReturn:
        raise BadInput(
            "the llama.cpp engine can be planned with, but not provisioned yet",
            where=f"inventory {inventory.name}: engine.kind",
            fix="use `beachhead plan` for it, or the vllm engine",
        )


ENGINE = LlamaCpp()
