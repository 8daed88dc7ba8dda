"""How the GPUs of a host are connected to each other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.reading import match, plain, understood

_LINK = r"X|SYS|NODE|PHB|PXB|PIX|NV[0-9]{1,3}"
_GPU = re.compile(r"GPU[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class GpuTopology:
    """The matrix of paths, worst to best: SYS, NODE, PHB, PXB, PIX, NV# (a bond of # NVLinks); X is itself."""

    gpus: tuple[str, ...]
    paths: tuple[tuple[str, ...], ...]

    @property
    def all_nvlink(self) -> bool:
        """Whether every pair of GPUs is joined by NVLink; true of a single GPU."""
        return all(path == "X" or path.startswith("NV") for row in self.paths for path in row)


@dataclass(frozen=True)
class GpuTopologyFact:
    """The host's GpuTopology.

    Sample: "GPU0\\t X \\tNV12\\t0-23,48-71\\t0\\t\\tN/A" below the tab-separated titles.
    """

    command: str = "LC_ALL=C nvidia-smi topo -m"

    @understood
    def parse(self, stdout: str) -> GpuTopology:
        """Read the rows and columns of GPUs; network cards and affinities are left out."""
        lines = [plain(line) for line in stdout.splitlines() if line.strip()]
        columns = [title.strip() for title in lines[0].split("\t")][1:]
        gpus = tuple(title for title in columns if _GPU.fullmatch(title))
        rows = [[cell.strip() for cell in line.split("\t")] for line in lines[1:]]
        named = {row[0]: row[1:] for row in rows if _GPU.fullmatch(row[0])}
        if not gpus or tuple(named) != gpus:
            raise ValueError("rows and columns name different GPUs")
        places = [columns.index(gpu) for gpu in gpus]
        paths = tuple(tuple(match(_LINK, named[gpu][place]).group() for place in places) for gpu in gpus)
        if any((path == "X") != (row == column) for row, line in enumerate(paths) for column, path in enumerate(line)):
            raise ValueError("a diagonal without X")
        return GpuTopology(gpus, paths)
