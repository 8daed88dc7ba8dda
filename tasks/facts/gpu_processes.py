"""Who holds memory on the GPUs."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts import nvidia_smi
from tasks.facts.nvidia_smi import mib
from tasks.facts.reading import Reading, filled, understood, whole

_COLUMNS = ("gpu_uuid", "pid", "process_name", "used_gpu_memory")
_TITLE = "gpu_uuid, pid, process_name, used_gpu_memory [MiB]"


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """One process with a compute context on one GPU; a name that this user may not see is in the driver's words."""

    gpu_uuid: str
    pid: int
    name: str
    memory_mib: Reading[int]


@dataclass(frozen=True)
class GpuProcessFact:
    """Every GpuProcess; none is the normal state of a free host.

    Sample: "GPU-…, 1328667, /usr/local/bin/python3.10, 130004 MiB"
    """

    command: str = nvidia_smi.query("compute-apps", _COLUMNS)

    @understood
    def parse(self, stdout: str) -> tuple[GpuProcess, ...]:
        """Read each row from its ends: a process may put commas into its name."""
        title, *rows = [line for line in stdout.splitlines() if line.strip()]
        if title != _TITLE:
            raise ValueError("other columns than asked for")
        return tuple(map(_process, rows))


def _process(row: str) -> GpuProcess:
    uuid, pid, rest = row.split(",", 2)
    name, memory = rest.rsplit(",", 1)
    return GpuProcess(filled(uuid), whole(pid.strip()), filled(name), mib(memory.strip()))
