"""vLLM for CPU, installed by the product's own operations, once for all tests that don't test the installation.

$BEACHHEAD_TEST_VLLM_PYTHON names an interpreter that has vLLM already, which saves that too.
"""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

from flows import environment
from inventories.load import load
from inventories.schema import Inventory
from tasks.engines.base import engine
from tasks.local import LocalHost
from tasks.operations.base import converge
from tests.compose.tools import alone, cache

FOLDER = "vllm-cpu"


def rehearsed(folder: Path) -> Inventory:
    """The rehearsal's inventory with its host below `folder`; of a tiny model's threads a second only spins."""
    given = {"BEACHHEAD_CHECKOUT": str(folder), "BEACHHEAD_FIND_LINKS": environment.find_links()}
    with patch.dict(os.environ, given):
        inventory = load("rehearsal")
    host = inventory.hosts[0].model_copy(update={"cpu_cores": 1})
    return inventory.model_copy(update={"hosts": (host,)})


def vllm_python() -> Path:
    """The interpreter of the environment; installed, or brought to what the lock file says now, at the first call."""
    if named := os.environ.get("BEACHHEAD_TEST_VLLM_PYTHON"):
        return Path(named)
    inventory, kind = rehearsed(cache() / FOLDER), engine("vllm")
    with alone(FOLDER):
        for operation in kind.install(inventory, inventory.hosts[0]):
            converge(LocalHost(), operation)
    return Path(kind.python(inventory, inventory.hosts[0]))
