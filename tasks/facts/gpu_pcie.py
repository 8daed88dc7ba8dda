"""The PCI Express link of each GPU."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts import nvidia_smi
from tasks.facts.nvidia_smi import count
from tasks.facts.reading import Reading, filled, understood

_COLUMNS = ("uuid", "pcie.link.gen.current", "pcie.link.gen.max", "pcie.link.width.current", "pcie.link.width.max")


@dataclass(frozen=True, slots=True)
class GpuPcie:
    """Generation and lanes now, and the most that GPU and slot can do together.

    An idle GPU lowers the generation to save power, so only the width, or a generation read under load, says more.
    """

    uuid: str
    generation: Reading[int]
    generation_max: Reading[int]
    lanes: Reading[int]
    lanes_max: Reading[int]


@dataclass(frozen=True)
class GpuPcieFact:
    """The GpuPcie of every GPU.

    Sample: "GPU-…, 5, 5, 16, 16"
    """

    command: str = nvidia_smi.query("gpu", _COLUMNS)

    @understood
    def parse(self, stdout: str) -> tuple[GpuPcie, ...]:
        """One GpuPcie a row."""
        return tuple(
            GpuPcie(filled(uuid), *map(count, numbers)) for uuid, *numbers in nvidia_smi.cells(stdout, _COLUMNS)
        )
