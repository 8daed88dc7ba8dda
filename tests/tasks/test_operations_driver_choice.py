"""Which driver a host is to have: the rule, its reasons, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from inventories.errors import BadInput
from inventories.figures import gpus
from inventories.load import load, names
from inventories.stack import Driver, Stack
from tasks.host_operations import driver_choice, host_operations
from tasks.operations.driver import driver_pin
from tasks.operations.driver_choice import DriverChoice, choose, cuda_of


def choice(engine: str = "vllm 0.33.0", gpu: str = "NVIDIA H100 80 GB", cc: float = 9.0, **driver: Any) -> DriverChoice:
    kind, version = engine.split()
    return choose(Driver(**driver), engine=kind, version=version, gpu=gpu, compute_capability=cc)


@pytest.mark.parametrize(
    ("engine", "cuda"),
    [("vllm 0.20.0", 13), ("vllm 0.33.0", 13), ("vllm 1.0", 13), ("vllm 0.19.1", 12),
     ("vllm 0.9.2", 12), ("llamacpp 0.3", None)],
)  # fmt: skip
def test_the_cuda_of_an_engine(engine: str, cuda: int | None) -> None:
    assert cuda_of(*engine.split()) == cuda


@pytest.mark.parametrize(
    ("given", "branch", "series", "words"),
    [
        ({}, 580, "580-server", "vllm 0.33.0 is built for CUDA 13, and branch 580 runs CUDA 13"),
        ({"engine": "vllm 0.18.0"}, 580, "580-server", "built for CUDA 12"),
        ({"engine": "llamacpp 0.3"}, 580, "580-server", "is not known"),
        ({"branch": 590}, 590, "590-server", "declared, and CUDA 13 of vllm 0.33.0 needs 580"),
        ({"version": "580.159.03", "server": False}, 580, "580", "declared"),
        ({"branch": 535, "engine": "vllm 0.19.0"}, 535, "535-server", "CUDA 12 of vllm 0.19.0 needs 525"),
        ({"branch": 570}, 570, "570-server", "only with the forward-compatibility libraries of CUDA 13"),
        ({"branch": 470, "engine": "llamacpp 0.3"}, 470, "470-server", "not known"),
    ],
)
def test_the_branch_and_its_reason(given: dict[str, Any], branch: int, series: str, words: str) -> None:
    found = choice(**given)
    assert (found.branch, found.series) == (branch, series) and words in found.reason
    assert found.or_newer == (not {"branch", "version"} & set(given))
    assert (found.forward_cuda == "13.0") == (branch == 570)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"branch": 550}, "535 and 570 on data-centre GPUs alone"),
        ({"branch": 470, "engine": "vllm 0.19.0"}, "CUDA 12, branch 525 or newer"),
        ({"branch": 570, "gpu": "NVIDIA GeForce RTX 4090", "cc": 8.9}, "GeForce RTX 4090"),
        ({"branch": 570, "gpu": "NVIDIA RTX PRO 6000 Blackwell", "cc": 12.0}, "forward compatibility is for"),
        ({"kernel_module": "proprietary", "gpu": "NVIDIA B200", "cc": 10.0}, "Blackwell"),
        ({"kernel_module": "open", "gpu": "Tesla V100", "cc": 7.0}, "older than Turing"),
    ],
)
def test_what_can_not_work_is_refused_with_a_way_out(given: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        choice(**given)
    assert refused.value.fix and refused.value.where.startswith("stack.driver.")


@pytest.mark.parametrize(
    ("cc", "declared", "is_open"),
    [(7.0, "auto", False), (7.5, "auto", True), (9.0, "auto", True), (10.0, "auto", True), (12.0, "open", True),
     (9.0, "proprietary", False), (7.0, "proprietary", False), (9.0, "open", True)],
)  # fmt: skip
def test_the_kernel_module_by_generation(cc: float, declared: str, is_open: bool) -> None:
    assert choice(cc=cc, kernel_module=declared).open_module is is_open


def test_every_card_of_the_catalog_gets_a_driver_or_is_none_of_nvidias() -> None:
    for card in gpus().values():
        if card.compute_capability:
            assert choice(gpu=card.title, cc=card.compute_capability.value).branch == 580
    found = choice(gpu="NVIDIA B200", cc=10.0, kernel_module="auto")
    assert found.open_module


def test_a_pin_names_one_version_of_one_branch_and_nothing_where_none_is_declared() -> None:
    assert driver_pin(choice(version="580.159.03")).content == (
        "Package: *nvidia*580*\nPin: version 580.159.03*\nPin-Priority: 1001\n"
    )
    assert "Pin" not in driver_pin(choice()).content


def test_the_version_is_of_the_branch() -> None:
    with pytest.raises(ValueError, match="not of branch 570"):
        Driver(branch=570, version="580.159.03")


@pytest.mark.parametrize("name", names())
def test_no_shipped_inventory_has_its_drivers_changed(name: str) -> None:
    inventory = load(name)
    assert all(host_operations(inventory, host) == [] for host in inventory.hosts if host.stack is None)


def kinds(inventory: str, **stack: Any) -> list[str]:
    loaded = load(inventory)
    host = loaded.hosts[0].model_copy(update={"stack": Stack.model_validate(stack)})
    return [type(operation).__name__ for operation in host_operations(loaded, host)]


def test_a_host_without_gpus_gets_nothing_of_them() -> None:
    gpu_only = {
        "Driver",
        "KernelHeaders",
        "NouveauOff",
        "FabricManager",
        "PersistenceMode",
        "ContainerToolkit",
        "Holds",
    }
    there = kinds("rehearsal", containers={})
    assert not gpu_only & set(there) and "DockerEngine" in there and "GpusInContainers" not in there
    assert gpu_only - {"ContainerToolkit"} <= set(kinds("h100x8"))
    image = "probe@sha256:" + "0" * 64
    assert gpu_only | {"GpusInContainers"} <= set(kinds("h100x8", containers={"probe_image": image}))
    assert "Holds" not in kinds("h100x8", hold_packages=False)


def test_refusals_come_first_and_the_driver_before_what_needs_it() -> None:
    order = kinds("h100x8", containers={"probe_image": "probe@sha256:" + "0" * 64})
    assert order[0] == "SupportedSystem"
    assert order.index("PackageManagerReady") < order.index("Packages") < order.index("Driver")
    assert (
        order.index("KernelHeaders") < order.index("NouveauOff") < order.index("Driver") < order.index("FabricManager")
    )
    assert order.index("DockerEngine") < order.index("ContainerToolkit") < order.index("GpusInContainers")
    assert order[-2:] == ["Holds", "TimersRestored"]


def test_an_older_driver_brings_its_forward_libraries() -> None:
    loaded = load("h100x8")
    stack = Stack.model_validate({"driver": {"branch": 570}, "cudnn": True, "nccl": True})
    host = loaded.hosts[0].model_copy(update={"stack": stack})
    wanted = [operation.name for operation in host_operations(loaded, host)]
    assert "packages libcudnn9-cuda-13, libnccl2, cuda-compat-13-0" in wanted
    found = driver_choice(loaded, host, stack)
    assert found and found.branch == 570


def test_containers_on_a_gpu_host_need_an_image_to_try_them_in() -> None:
    host = load("h100x8").hosts[0].model_dump() | {"stack": {"containers": {}}}
    with pytest.raises(ValueError, match="probe_image"):
        type(load("h100x8").hosts[0]).model_validate(host)
