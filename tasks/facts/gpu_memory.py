"""How much of each GPU's memory is taken now."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts import nvidia_smi
from tasks.facts.nvidia_smi import mib
from tasks.facts.reading import Reading, understood, whole

_COLUMNS = ("index", "memory.total", "memory.used", "memory.free")


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """One GPU, in MiB; what the driver keeps for itself is in none of `used` and `free`."""

    index: int
    total_mib: Reading[int]
    used_mib: Reading[int]
    free_mib: Reading[int]


@dataclass(frozen=True)
class GpuMemoryFact:
    """Every GpuMemory in the driver's order.

    Sample: "0, 143771 MiB, 130004 MiB, 13155 MiB" below the titles of the columns.
    """

    command: str = nvidia_smi.query("gpu", _COLUMNS)

    @understood
    def parse(self, stdout: str) -> tuple[GpuMemory, ...]:
        """One GpuMemory a row; no GPU at all is not an empty list."""
        found = tuple(
            GpuMemory(whole(index), mib(total), mib(used), mib(free))
            for index, total, used, free in nvidia_smi.cells(stdout, _COLUMNS)
        )
        if not found or len({each.index for each in found}) != len(found):
            raise ValueError("no GPU, or one index twice")
        return found
