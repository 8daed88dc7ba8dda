"""Memory errors that each GPU has counted, and rows it has taken out of use."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts import nvidia_smi
from tasks.facts.nvidia_smi import count, mode, yes
from tasks.facts.reading import Reading, filled, understood

_ERRORS = (
    "uuid",
    "ecc.mode.current",
    "ecc.mode.pending",
    "ecc.errors.corrected.volatile.total",
    "ecc.errors.uncorrected.volatile.total",
    "ecc.errors.corrected.aggregate.total",
    "ecc.errors.uncorrected.aggregate.total",
)
_ROWS = (
    "gpu_uuid",
    "remapped_rows.correctable",
    "remapped_rows.uncorrectable",
    "remapped_rows.pending",
    "remapped_rows.failure",
)


@dataclass(frozen=True, slots=True)
class GpuEcc:
    """Error counts: volatile ones since the driver was loaded, aggregate ones over the board's life."""

    uuid: str
    enabled: Reading[bool]
    enabled_next: Reading[bool]
    corrected: Reading[int]
    uncorrected: Reading[int]
    corrected_ever: Reading[int]
    uncorrected_ever: Reading[int]


@dataclass(frozen=True, slots=True)
class GpuRows:
    """Remapped rows; `pending` needs a reset of the GPU, `failed` needs another GPU."""

    uuid: str
    correctable: Reading[int]
    uncorrectable: Reading[int]
    pending: Reading[bool]
    failed: Reading[bool]


@dataclass(frozen=True)
class GpuEccFact:
    """The GpuEcc of every GPU.  Counters can read 0 on a GPU that needs a reset (firmware faults): see GpuRecovery.

    Sample: "GPU-…, Enabled, Enabled, 0, 0, 0, 0"; "[N/A]" on a board without ECC.
    """

    command: str = nvidia_smi.query("gpu", _ERRORS)

    @understood
    def parse(self, stdout: str) -> tuple[GpuEcc, ...]:
        """One GpuEcc a row."""
        return tuple(
            GpuEcc(filled(uuid), mode(now), mode(then), *map(count, counts))
            for uuid, now, then, *counts in nvidia_smi.cells(stdout, _ERRORS)
        )


@dataclass(frozen=True)
class GpuRowsFact:
    """The GpuRows of every GPU.

    Sample: "GPU-…, 0, 1, No, No"
    """

    command: str = nvidia_smi.query("remapped-rows", _ROWS)

    @understood
    def parse(self, stdout: str) -> tuple[GpuRows, ...]:
        """One GpuRows a row."""
        return tuple(
            GpuRows(filled(uuid), count(mild), count(hard), yes(pending), yes(failed))
            for uuid, mild, hard, pending, failed in nvidia_smi.cells(stdout, _ROWS)
        )
