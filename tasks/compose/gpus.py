"""Which GPUs a slot's container asks for, and by which of Docker's two ways."""

from __future__ import annotations

from inventories.schema import Host, Inventory
from inventories.stack import Containers
from tasks.releases import Slot


def gpu_requests(inventory: Inventory, host: Host, slot: Slot) -> tuple[str, ...]:
    """One "driver:id" a rank.  The second slot of a blue-green pair gets cards of its own where there are enough."""
    ranks = min(inventory.engine.tensor_parallel * inventory.engine.pipeline_parallel, host.gpus)
    second = inventory.serving.slots.index(slot.port) if slot.port in inventory.serving.slots else 0
    apart = inventory.serving.mode == "blue-green" and host.gpus >= 2 * ranks
    first = ranks * second if apart else 0
    declared = host.stack.containers if host.stack else None
    by = (declared or Containers()).gpus_by
    head = "cdi:nvidia.com/gpu=" if by == "cdi" else "nvidia:"
    return tuple(sorted(f"{head}{card}" for card in range(first, first + ranks)))
