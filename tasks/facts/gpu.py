"""The GPUs that the driver sees, and how each is identified."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts import nvidia_smi
from tasks.facts.nvidia_smi import mib, mode, text
from tasks.facts.reading import Reading, filled, match, understood, whole

_COLUMNS = (
    "index",
    "name",
    "uuid",
    "serial",
    "pci.bus_id",
    "vbios_version",
    "driver_version",
    "memory.total",
    "compute_cap",
    "persistence_mode",
    "mig.mode.current",
)


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU; `memory_mib` is what the driver offers, below the board's figure when ECC or firmware reserve some."""

    index: int
    name: str
    uuid: str
    serial: Reading[str]
    bus: str
    vbios: Reading[str]
    driver: str
    memory_mib: Reading[int]
    compute_capability: Reading[str]
    persistence: Reading[bool]
    mig: Reading[bool]


@dataclass(frozen=True)
class GpuFact:
    """Every Gpu in the driver's order.  No GPU at all is not an empty list: nvidia-smi fails then.

    Sample: "0, NVIDIA H200, GPU-…, 0000000000000, 00000000:83:00.0, 96.00.A5.00.03, 580.173.02, 143771 MiB, 9.0,
    Enabled, Disabled" below the titles of the columns.
    """

    command: str = nvidia_smi.query("gpu", _COLUMNS)

    @understood
    def parse(self, stdout: str) -> tuple[Gpu, ...]:
        """One Gpu a row; indices and UUIDs are those of different GPUs."""
        gpus = tuple(map(_gpu, nvidia_smi.cells(stdout, _COLUMNS)))
        if not gpus or len({gpu.index for gpu in gpus}) != len(gpus):
            raise ValueError("no GPU, or one index twice")
        return gpus


def _gpu(cells: tuple[str, ...]) -> Gpu:
    index, name, uuid, serial, bus, vbios, driver, memory, capability, persistence, mig = cells
    return Gpu(
        whole(index),
        filled(name),
        match(r"GPU-[0-9a-f-]{36}", uuid).group(),
        text(serial),
        match(r"[0-9A-Fa-f]{8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-9]", bus).group(),
        text(vbios),
        match(r"[0-9]+(\.[0-9]+)+", driver).group(),
        mib(memory),
        text(capability),
        mode(persistence),
        mode(mig),
    )
