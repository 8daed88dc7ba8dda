"""What the guide asks of the NVIDIA driver stack, and what the engine of the inventory needs; the stricter counts."""

from __future__ import annotations

from assumptions.guide_driver_install import CUDA_13_SINCE, LEAST_DRIVER
from inventories.figures import gpu
from inventories.schema import Host, Inventory
from tasks.operations.driver_choice import choose

GUIDE_DRIVER = 535  # K2 Thinking guide §3.2: "NVIDIA Driver: >= 535 (for A100 support)"
GUIDE_CUDA = (12, 1)  # §3.2: "CUDA: >= 12.1"
GUIDE_CUDNN = (8, 9)  # §3.2: "cuDNN: >= 8.9"
GUIDE_NCCL = (2, 18)  # §3.2: "NCCL: >= 2.18 (for multi-GPU communication)"
SOURCE = (
    "K2 Thinking guide §3.2; vLLM wheels link libcudart.so.13 from 0.20.0 on; NVIDIA's CUDA release notes name the "
    "least driver of a CUDA major version (12: 525, 13: 580)"
)


def engine_cuda(inventory: Inventory) -> tuple[int, int] | None:
    """The CUDA that the engine's wheels are built for; None for an engine other than vLLM."""
    if inventory.engine.kind != "vllm":
        return None
    version = tuple(int(part) for part in inventory.engine.version.split(".")[:3] if part.isdecimal())
    return (13, 0) if version >= CUDA_13_SINCE else (12, 0)


def forward_cuda(inventory: Inventory, host: Host) -> str | None:
    """The CUDA whose forward-compatibility libraries let the engine run on the older driver that `host` declares."""
    cuda, stack = engine_cuda(inventory), host.stack
    branch = stack.driver.declared_branch if stack else None
    if stack is None or cuda is None or branch is None or host.gpu is None or branch >= LEAST_DRIVER[cuda[0]]:
        return None
    card = gpu(host.gpu)
    capability = card.compute_capability.value if card.compute_capability else 0.0
    engine = inventory.engine
    wish = stack.driver
    return choose(
        wish, engine=engine.kind, version=engine.version, gpu=card.title, compute_capability=capability
    ).forward_cuda


def least_driver(inventory: Inventory, host: Host | None = None) -> int:
    """The stricter of the guide's driver branch and the engine's; the guide's where `host` declares the older way."""
    cuda = engine_cuda(inventory)
    if host is not None and forward_cuda(inventory, host):
        return GUIDE_DRIVER
    return max(GUIDE_DRIVER, LEAST_DRIVER[cuda[0]] if cuda else 0)


def least_cuda(inventory: Inventory) -> tuple[int, int]:
    """The stricter of the guide's CUDA and the engine's."""
    return max(GUIDE_CUDA, engine_cuda(inventory) or GUIDE_CUDA)
