"""The slices that GPUs are cut into (MIG)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.reading import match, understood

_GPU = re.compile(r"GPU [0-9]+: .+ \(UUID: (GPU-[0-9a-f-]+)\)")
_SLICE = r"MIG (\S+) +Device +([0-9]+): \(UUID: (MIG-\S+)\)"


@dataclass(frozen=True, slots=True)
class MigDevice:
    """One slice: profile such as "3g.20gb", its number on the GPU and its UUID."""

    gpu_uuid: str
    profile: str
    number: int
    uuid: str


@dataclass(frozen=True)
class MigFact:
    """Every MigDevice; none where no GPU is cut.

    Sample: "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-…)\\n  MIG 1g.10gb     Device  0: (UUID: MIG-…)"
    """

    command: str = "LC_ALL=C nvidia-smi -L"

    @understood
    def parse(self, stdout: str) -> tuple[MigDevice, ...]:
        """Read the slices below each GPU's line."""
        found: list[MigDevice] = []
        gpu = ""
        for line in filter(None, map(str.strip, stdout.splitlines())):
            if start := _GPU.fullmatch(line):
                gpu = start[1]
            elif gpu:
                part = match(_SLICE, line)
                found.append(MigDevice(gpu, part[1], int(part[2]), part[3]))
            else:
                raise ValueError("a slice before its GPU")
        if not gpu:
            raise ValueError("no GPU")
        return tuple(found)
