"""What a host should be before it can fetch or serve, as operations in their order."""

from __future__ import annotations

from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.engines.base import engine
from tasks.host_operations import host_operations
from tasks.operations.base import Operation
from tasks.operations.files import Folder
from tasks.operations.model_directory import ModelDirectory
from tasks.operations.root_folder import RootFolder
from tasks.operations.supported_system import SupportedSystem
from tasks.runtimes.base import runtime

_FIRST = (SupportedSystem, ModelDirectory)


def before_the_lease(inventory: Inventory, spec: HostSpec) -> list[Operation]:
    """What must hold before a lease can be taken: a system that we know, and our root folder on its disk."""
    asked = [each for each in host_operations(inventory, spec) if isinstance(each, _FIRST)]
    return [*asked] if asked else [RootFolder(spec.root)]


def wanted(inventory: Inventory, spec: HostSpec) -> list[Operation]:
    """The rest: our folders, what the inventory's `stack:` asks for, what the engine needs."""
    folders = [Folder(f"{spec.root}/run"), Folder(f"{spec.root}/state")]
    stack = [each for each in host_operations(inventory, spec) if not isinstance(each, _FIRST)]
    engines = engine(inventory.engine.kind).install(inventory, spec)
    return [*folders, *stack, *engines, *runtime(inventory).install(inventory, spec)]
