"""Scripted GPU sets: what the hardware of a test host answers when it is asked.

Names, memory and PCI ids are those that public `nvidia-smi` and `lspci` outputs show for these cards; UUIDs, serials
and bus addresses are made up from the host's name, so that two hosts differ.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Card:
    """One kind of GPU."""

    name: str
    chip: str
    pci_name: str
    pci_id: str
    memory_mib: int
    usable_mib: int
    compute_cap: str
    power_w: int
    sm_mhz: int
    memory_mhz: int
    pcie_gen: int
    nvlinks: int
    link_gb_s: float
    vbios: str
    mig: bool
    fabric: bool  # the driver reports a fabric state (Hopper and later, behind NVSwitch)


CARDS = {
    "a100-80gb": Card(
        "NVIDIA A100-SXM4-80GB", "GA100", "GA100 [A100 SXM4 80GB]", "20b2", 81920, 81251, "8.0", 400, 1410, 1593, 4,
        12, 25.0, "92.00.45.00.05", True, False,
    ),
    "h100-80gb": Card(
        "NVIDIA H100 80GB HBM3", "GH100", "GH100 [H100 SXM5 80GB]", "2330", 81559, 81110, "9.0", 700, 1980, 2619, 5,
        18, 26.562, "96.00.A5.00.01", True, True,
    ),
    "h200": Card(
        "NVIDIA H200", "GH100", "GH100 [H200 SXM 141GB]", "2335", 143771, 143167, "9.0", 700, 1980, 3201, 5,
        18, 26.562, "96.00.BC.00.01", True, True,
    ),
    "a40": Card(
        "NVIDIA A40", "GA102", "GA102GL [A40]", "2235", 46068, 45515, "8.6", 300, 1740, 7251, 4,
        0, 0.0, "94.02.5C.00.03", False, False,
    ),
    "rtx4090": Card(
        "NVIDIA GeForce RTX 4090", "AD102", "AD102 [GeForce RTX 4090]", "2684", 24564, 24188, "8.9", 450, 3105, 10501,
        4, 0, 0.0, "95.02.3C.40.0A", False, False,
    ),
}  # fmt: skip


def hardware_state(host: str, kind: str | None, count: int) -> dict[str, Any]:
    """The state file of a host with `count` cards of one kind; nothing is installed yet."""
    gpus = [_gpu(host, CARDS[kind], index) for index in range(count)] if kind else []
    switched = bool(kind and CARDS[kind].fabric and count >= 4)
    return {"gpus": gpus, "nvswitches": 4 if switched else 0, "secure_boot": False, "nouveau": False}


def _gpu(host: str, card: Card, index: int) -> dict[str, Any]:
    made = hashlib.sha256(f"{host}/{index}".encode()).hexdigest()
    uuid = f"GPU-{made[:8]}-{made[8:12]}-{made[12:16]}-{made[16:20]}-{made[20:32]}"
    own = {slot: getattr(card, slot) for slot in card.__slots__}
    serial = "165" + str(int(made[:12], 16))[:10].zfill(10)
    return own | {"uuid": uuid, "serial": serial, "bus_id": f"00000000:{0x07 + 8 * index:02X}:00.0", "fields": {}}
