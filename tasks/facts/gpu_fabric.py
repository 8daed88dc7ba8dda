"""Whether each GPU is part of the NVSwitch fabric."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.nvidia_smi import text
from tasks.facts.reading import Reading, match, understood, whole

_GPU = re.compile(r"GPU ([0-9A-Fa-f]{8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-9])")
_UNKNOWN: Reading[str] = Reading(None, "this driver does not print it")


@dataclass(frozen=True, slots=True)
class GpuFabric:
    """Registration of one GPU; "N/A" is a board without NVSwitch.

    A single-node HGX prints clique 0 and a cluster UUID of zeros when healthy; both identify only multi-node systems.
    """

    bus: str
    state: Reading[str]  # "Completed", "In Progress", "Not Started"
    status: Reading[str]  # "Success" or an error, valid once the state is "Completed"
    clique: Reading[str]
    cluster_uuid: Reading[str]
    health: Reading[str]  # the summary: "Healthy", "Unhealthy", …
    bandwidth: Reading[str]

    @property
    def joined(self) -> bool:
        """Whether the GPU registered without error."""
        return self.state.value == "Completed" and self.status.value == "Success"


@dataclass(frozen=True)
class GpuFabricFact:
    """The GpuFabric of every GPU, from the long report, whose section the older drivers print too.

    Sample: "    Fabric\\n        State      : Completed\\n        Status     : Success\\n        CliqueId   : 0"
    """

    command: str = "LC_ALL=C nvidia-smi -q"

    @understood
    def parse(self, stdout: str) -> tuple[GpuFabric, ...]:
        """One GpuFabric for each of the GPUs that the report counts."""
        lines = stdout.splitlines()
        starts = [(number, gpu[1]) for number, line in enumerate(lines) if (gpu := _GPU.fullmatch(line.rstrip()))]
        (attached,) = [_after(line) for line in lines if line.startswith("Attached GPUs ")]
        if not starts or len(starts) != whole(attached):
            raise ValueError("another number of GPUs than attached")
        ends = [start for start, _ in starts[1:]] + [len(lines)]
        return tuple(_fabric(bus, lines[start:end]) for (start, bus), end in zip(starts, ends, strict=True))


def _fabric(bus: str, report: list[str]) -> GpuFabric:
    first = report.index("    Fabric") + 1
    below = [re.match(r" *", line).end() for line in report[first:]]  # type: ignore[union-attr]
    last = next((first + step for step, depth in enumerate(below) if depth <= 4), len(report))
    named = {line.partition(":")[0].strip(): _after(line) for line in report[first:last] if ":" in line}
    required = [text(named[title]) for title in ("State", "Status")]
    optional = [
        text(named[title]) if title in named else _UNKNOWN
        for title in ("CliqueId", "ClusterUUID", "Summary", "Bandwidth")
    ]
    return GpuFabric(bus, *required, *optional)


def _after(line: str) -> str:
    return match(r"[^:]+ : ?(.*)", line)[1].strip()
