"""Everything that one host is to have before the engine: which operations its inventory asks for, in their order."""

from __future__ import annotations

from collections.abc import Iterator

from inventories.figures import gpu
from inventories.schema import Host, Inventory
from inventories.stack import Stack
from tasks.operations.base import Operation
from tasks.operations.containers import ContainerToolkit, DockerEngine, GpusInContainers
from tasks.operations.driver import Driver, driver_pin
from tasks.operations.driver_choice import DriverChoice, choose
from tasks.operations.fabric_manager import FabricManager
from tasks.operations.holds import Holds
from tasks.operations.kernel_headers import KernelHeaders
from tasks.operations.model_directory import ModelDirectory
from tasks.operations.nouveau_off import NouveauOff
from tasks.operations.package_manager import PackageManagerReady, TimersHeld, TimersRestored
from tasks.operations.packages import Packages
from tasks.operations.persistence_mode import PersistenceMode
from tasks.operations.repositories import AptRepository
from tasks.operations.supported_system import SupportedSystem
from tasks.operations.sysctl import SessionLimits, Sysctl

GIB = 1 << 30


def host_operations(inventory: Inventory, host: Host) -> list[Operation]:
    """All of them, none for a host without `stack:`.  Raises BadInput for a driver that can't work there."""
    stack = host.stack
    if stack is None:
        return []
    own = ModelDirectory(host.root, stack.models_mount or "", int(stack.models_room_gib * GIB))
    before, after = list(_to_the_driver(inventory, host, stack)), list(_above_the_driver(inventory, host, stack))
    # held again after the restart, which starts every timer
    return [
        SupportedSystem(gpus=host.gpus > 0),
        own,
        TimersHeld((*before, *after)),
        *before,
        TimersHeld(after),
        *after,
        TimersRestored(),
    ]


def driver_choice(inventory: Inventory, host: Host, stack: Stack) -> DriverChoice | None:
    """The driver that this host is to have and why; None for a host without NVIDIA GPUs."""
    if host.gpu is None:
        return None
    card = gpu(host.gpu)
    if card.compute_capability is None:
        return None
    engine = inventory.engine
    capability = card.compute_capability.value
    return choose(
        stack.driver, engine=engine.kind, version=engine.version, gpu=card.title, compute_capability=capability
    )


def _to_the_driver(inventory: Inventory, host: Host, stack: Stack) -> Iterator[Operation]:
    yield PackageManagerReady()
    for source in stack.repositories:
        yield AptRepository(source.name, source.uri, source.suite, source.components, source.key)
    if stack.packages:
        yield Packages(stack.packages, stack.versions)
    if stack.limits and host.ssh:
        yield SessionLimits(host.ssh.user, stack.limits.open_files, stack.limits.locked_memory)
    if stack.sysctl:
        yield Sysctl("beachhead", stack.sysctl)
    choice = driver_choice(inventory, host, stack)
    if choice is not None:
        yield KernelHeaders(stack.driver.build)
        yield NouveauOff()
        yield driver_pin(choice)
        yield Driver(choice, stack.driver.build)


def _above_the_driver(inventory: Inventory, host: Host, stack: Stack) -> Iterator[Operation]:
    choice = driver_choice(inventory, host, stack)
    if choice is not None:
        yield FabricManager(choice.branch)
        yield PersistenceMode()
        if libraries := _libraries(stack, choice):
            yield Packages(libraries, stack.versions)
    if stack.containers:
        yield DockerEngine(stack.containers.engine, stack.versions)
        if choice is not None:
            yield ContainerToolkit(stack.containers.gpus_by, stack.versions)
            yield GpusInContainers(stack.containers.probe_image or "", stack.containers.gpus_by)
    if choice is not None and stack.hold_packages:
        yield Holds()


def _libraries(stack: Stack, choice: DriverChoice) -> tuple[str, ...]:
    """Toolkit, cuDNN, NCCL and the forward-compatibility libraries, by the names of NVIDIA's repository."""
    cuda = stack.cuda_toolkit or choice.forward_cuda or "13.0"
    names = [f"cuda-toolkit-{stack.cuda_toolkit.replace('.', '-')}"] if stack.cuda_toolkit else []
    names += [f"libcudnn9-cuda-{cuda.split('.')[0]}"] if stack.cudnn else []
    names += ["libnccl2"] if stack.nccl else []
    names += [f"cuda-compat-{choice.forward_cuda.replace('.', '-')}"] if choice.forward_cuda else []
    return tuple(names)
