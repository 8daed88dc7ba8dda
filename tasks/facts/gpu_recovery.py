"""What the driver says must be done to bring a GPU back."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts import nvidia_smi
from tasks.facts.nvidia_smi import text
from tasks.facts.reading import Reading, filled, understood

_COLUMNS = ("uuid", "gpu_recovery_action")
NOTHING = "None"


@dataclass(frozen=True, slots=True)
class GpuRecovery:
    """`action` in the driver's words: "None" (nothing to do), "Reset", "Reboot", "Drain P2P" or "Drain and Reset"."""

    uuid: str
    action: Reading[str]


@dataclass(frozen=True)
class GpuRecoveryFact:
    """The GpuRecovery of every GPU; drivers before branch 570 don't know the column and fail.

    Sample: "GPU-…, None"
    """

    command: str = nvidia_smi.query("gpu", _COLUMNS)

    @understood
    def parse(self, stdout: str) -> tuple[GpuRecovery, ...]:
        """One GpuRecovery a row."""
        return tuple(GpuRecovery(filled(uuid), text(action)) for uuid, action in nvidia_smi.cells(stdout, _COLUMNS))
