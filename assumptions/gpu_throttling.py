"""Claim: nothing holds the clocks of a GPU down: no heat, no power brake, no power cap that somebody set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, unread
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.gpu_power import GpuPower, GpuPowerFact
from tasks.facts.gpu_throttle import GpuThrottle, GpuThrottleFact, GpuThrottleTotals, GpuThrottleTotalsFact
from tasks.facts.reading import Reading
from tasks.hosts import Host
from tasks.site import Site

SOURCE = "NVML's clock event reasons; a software power cap is normal under load and not weighed"
REASONS = (
    ("hardware_slowdown", "hardware slowdown"),
    ("hardware_thermal", "too hot (hardware)"),
    ("power_brake", "power brake"),
    ("software_thermal", "too hot (software)"),
)
SLACK_W = 1.0  # limits are printed to a hundredth of a watt, and rounded by some boards


@dataclass(frozen=True, slots=True)
class Clocks:
    """What holds the clocks now, what did since the driver was loaded, and the power limits."""

    now: Reading[tuple[GpuThrottle, ...]]
    totals: Reading[tuple[GpuThrottleTotals, ...]]
    power: Reading[tuple[GpuPower, ...]]


def observe(site: Site, stage: Stage) -> dict[str, Clocks]:
    """Three questions to the driver of each host with GPUs."""

    def see(host: Host, _: HostSpec) -> Clocks:
        return Clocks(
            attempt(host, GpuThrottleFact()), attempt(host, GpuThrottleTotalsFact()), attempt(host, GpuPowerFact())
        )

    return each(site, gpu_hosts(site.inventory), see)


def _now(name: str, gpu: GpuThrottle) -> Part:
    read = {words: getattr(gpu, field) for field, words in REASONS}
    active = [words for words, reading in read.items() if reading.value]
    silent = [words for words, reading in read.items() if reading.value is None]
    if active:
        return check(name, False, ", ".join(active), expected="not active", measured=", ".join(active))
    if silent:
        return check(name, None, f"the driver does not tell: {', '.join(silent)}", expected="not active")
    return check(name, True, "nothing holds its clocks", expected="not active", measured="not active")


def _power(name: str, gpu: GpuPower) -> Part:
    limit, default = gpu.limit_w.value, gpu.default_limit_w.value
    if limit is None or default is None:
        return unread(name, gpu.limit_w if limit is None else gpu.default_limit_w, expected="the default limit")
    said = f"limit {limit:g} W, default {default:g} W"
    return check(name, limit >= default - SLACK_W, said, expected=f">= {default:g} W", measured=f"{limit:g} W")


def _parts(host: str, seen: Clocks) -> Iterator[Part]:
    if seen.now.value is None:
        yield unread(f"{host}: clocks", seen.now)
    for number, gpu in enumerate(seen.now.value or ()):
        yield _now(f"{host}: GPU {number} clocks", gpu)
    if seen.power.value is None:
        yield unread(f"{host}: power", seen.power)
    for number, limits in enumerate(seen.power.value or ()):
        yield _power(f"{host}: GPU {number} power", limits)


def _past(host: str, gpus: tuple[GpuThrottleTotals, ...]) -> Iterator[str]:
    for number, gpu in enumerate(gpus):
        spent = {
            "hardware heat": gpu.hardware_thermal_us.value,
            "power brake": gpu.power_brake_us.value,
            "software heat": gpu.software_thermal_us.value,
        }
        told = [f"{words} {us / 1e6:.1f} s" for words, us in spent.items() if us]
        if told:
            yield f"{host} GPU {number}, since the driver was loaded: {', '.join(told)}"


def judge(seen: Mapping[str, Clocks], inventory: Inventory) -> Finding:
    """Reasons active at this moment and limits below the default; what is past is told, since nobody knows when."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    return finding(
        (part for host, found in seen.items() for part in _parts(host, found)),
        good="nothing holds the clocks of any GPU, and no power limit is below its default",
        expected="no slowdown active, power limit at the default or above",
        source=SOURCE,
        notes=[line for host, found in seen.items() for line in _past(host, found.totals.value or ())],
    )


ASSUMPTION = Assumption(
    id="gpu-throttling",
    guide="K2 Thinking guide §4.4",
    states="Nothing holds the clocks of a GPU down.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="A power limit below the default: nvidia-smi -pl WATTS. Heat or a power brake on an idle GPU: airflow, "
    "power supplies, cables; then send the vendor pack. No figure measured meanwhile counts.",
    version=1,
    observe=observe,
    judge=judge,
)
