"""RAM of the hosts beside what the memory model needs of it."""

from __future__ import annotations

from assumptions._core import Part
from assumptions._parts import check
from assumptions.formulas.memory import Fit
from inventories.schema import Inventory


def ram_part(answer: Fit, inventory: Inventory) -> Part | None:
    """FAIL when what is pinned and shared for certain exceeds the smallest host's RAM; UNKNOWN when only a modelled
    part does; None when nothing was answered."""
    if answer.host_ram_gib is None or answer.pinned_gib is None or answer.shm_gib is None:
        return None
    ram = min((host.ram_gib for host in inventory.hosts if host.gpus), default=inventory.hosts[0].ram_gib)
    sure, least, most = answer.pinned_gib + answer.shm_gib, answer.host_ram_gib.low, answer.host_ram_gib.high
    if sure > ram:
        said = f"{sure:.1f} GiB of offloaded weights and /dev/shm, {ram:g} GiB of RAM on a host"
        return check("host-ram", False, said, expected=f"<= {ram:g} GiB", measured=f"{sure:.1f}")
    said = f"{least:.1f} to {most:.1f} GiB needed (modelled), {ram:g} GiB of RAM on a host"
    return check("host-ram", None if least > ram else True, said, expected=f"<= {ram:g} GiB", measured=f"{most:.1f}")
