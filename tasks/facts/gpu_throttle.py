"""What holds the clocks of each GPU down, now and in total since the driver was loaded."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts import nvidia_smi
from tasks.facts.nvidia_smi import active, microseconds
from tasks.facts.reading import Reading, filled, understood

_REASONS = ("sw_power_cap", "hw_slowdown", "hw_thermal_slowdown", "hw_power_brake_slowdown", "sw_thermal_slowdown")
_COUNTED = ("sw_power_cap", "hw_thermal_slowdown", "hw_power_brake_slowdown", "sw_thermal_slowdown")
_NOW = ("uuid", *(f"clocks_event_reasons.{name}" for name in _REASONS))
_TOTAL = ("uuid", *(f"clocks_event_reasons_counters.{name}" for name in _COUNTED))


@dataclass(frozen=True, slots=True)
class GpuThrottle:
    """Which reasons are active at this moment.  A software power cap is normal under full load."""

    uuid: str
    power_cap: Reading[bool]
    hardware_slowdown: Reading[bool]
    hardware_thermal: Reading[bool]
    power_brake: Reading[bool]
    software_thermal: Reading[bool]


@dataclass(frozen=True, slots=True)
class GpuThrottleTotals:
    """Microseconds for which each reason was active; only the difference of two readings says when."""

    uuid: str
    power_cap_us: Reading[int]
    hardware_thermal_us: Reading[int]
    power_brake_us: Reading[int]
    software_thermal_us: Reading[int]


@dataclass(frozen=True)
class GpuThrottleFact:
    """The GpuThrottle of every GPU.

    Sample: "GPU-…, Not Active, Not Active, Not Active, Not Active, Not Active"
    """

    command: str = nvidia_smi.query("gpu", _NOW)

    @understood
    def parse(self, stdout: str) -> tuple[GpuThrottle, ...]:
        """One GpuThrottle a row."""
        return tuple(GpuThrottle(filled(uuid), *map(active, more)) for uuid, *more in nvidia_smi.cells(stdout, _NOW))


@dataclass(frozen=True)
class GpuThrottleTotalsFact:
    """The GpuThrottleTotals of every GPU; older drivers don't know the columns and fail.

    Sample: "GPU-…, 15814595384 us, 0 us, 0 us, 0 us"
    """

    command: str = nvidia_smi.query("gpu", _TOTAL)

    @understood
    def parse(self, stdout: str) -> tuple[GpuThrottleTotals, ...]:
        """One GpuThrottleTotals a row."""
        return tuple(
            GpuThrottleTotals(filled(uuid), *map(microseconds, more))
            for uuid, *more in nvidia_smi.cells(stdout, _TOTAL)
        )
