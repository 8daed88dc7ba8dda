"""Power, temperature and clock of each GPU."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts import nvidia_smi
from tasks.facts.nvidia_smi import count, mhz, watts
from tasks.facts.reading import Reading, filled, understood

_COLUMNS = (
    "uuid",
    "power.draw",
    "enforced.power.limit",
    "power.default_limit",
    "power.max_limit",
    "temperature.gpu",
    "clocks.current.sm",
    "clocks.max.sm",
)


@dataclass(frozen=True, slots=True)
class GpuPower:
    """Watts, degrees Celsius and megahertz at one moment; a limit below the default is a cap that someone set."""

    uuid: str
    draw_w: Reading[float]
    limit_w: Reading[float]
    default_limit_w: Reading[float]
    max_limit_w: Reading[float]
    temperature_c: Reading[int]
    sm_mhz: Reading[int]
    sm_max_mhz: Reading[int]


@dataclass(frozen=True)
class GpuPowerFact:
    """The GpuPower of every GPU.

    Sample: "GPU-…, 85.12 W, 700.00 W, 700.00 W, 700.00 W, 37, 345 MHz, 1980 MHz"
    """

    command: str = nvidia_smi.query("gpu", _COLUMNS)

    @understood
    def parse(self, stdout: str) -> tuple[GpuPower, ...]:
        """One GpuPower a row."""
        return tuple(map(_power, nvidia_smi.cells(stdout, _COLUMNS)))


def _power(cells: tuple[str, ...]) -> GpuPower:
    uuid, draw, limit, default, most, heat, now, top = cells
    return GpuPower(
        filled(uuid), watts(draw), watts(limit), watts(default), watts(most), count(heat), mhz(now), mhz(top)
    )
