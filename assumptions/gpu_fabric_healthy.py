"""Claim: every GPU behind NVSwitches has joined the fabric, and the Fabric Manager is the driver's own version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, skipped, unread
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.fabric_manager import UNIT, FabricManagerFact
from tasks.facts.gpu_driver import GpuDriver, GpuDriverFact
from tasks.facts.gpu_fabric import GpuFabric, GpuFabricFact
from tasks.facts.nvidia_pci import NvidiaPci, NvidiaPciFact
from tasks.facts.reading import Reading
from tasks.facts.systemd_units import SystemdUnit, SystemdUnitFact
from tasks.hosts import Host
from tasks.site import Site

SICK = "Unhealthy"
SOURCE = "NVIDIA's Fabric Manager guide: state Completed and status Success; its version must be the driver's"


@dataclass(frozen=True, slots=True)
class Manager:
    """The Fabric Manager that is installed ("" where none is) and its service."""

    version: Reading[str]
    unit: Reading[tuple[SystemdUnit, ...]]


@dataclass(frozen=True, slots=True)
class Fabric:
    """Registration of each GPU, switches on the bus, driver and Fabric Manager."""

    gpus: Reading[tuple[GpuFabric, ...]]
    bus: Reading[tuple[NvidiaPci, ...]]
    driver: Reading[GpuDriver]
    manager: Manager


def observe(site: Site, stage: Stage) -> dict[str, Fabric]:
    """Ask the driver, the bus, the Fabric Manager and systemd."""

    def see(host: Host, _: HostSpec) -> Fabric:
        version = attempt(host, FabricManagerFact())
        told: Reading[str] = Reading(None, version.why_not) if version.why_not else Reading(version.value or "")
        return Fabric(
            attempt(host, GpuFabricFact()),
            attempt(host, NvidiaPciFact()),
            attempt(host, GpuDriverFact()),
            Manager(told, attempt(host, SystemdUnitFact((UNIT,)))),
        )

    return each(site, gpu_hosts(site.inventory), see)


def _gpus(host: str, seen: Fabric) -> Iterator[Part]:
    if seen.gpus.value is None:
        yield unread(f"{host}: fabric", seen.gpus, expected="Completed, Success")
        return
    behind = [gpu for gpu in seen.gpus.value if gpu.state.value is not None]
    if not behind:
        yield skipped(f"{host}: fabric", "these GPUs report no fabric (no NVSwitch, or older than Hopper)")
    for gpu in seen.gpus.value if behind else ():
        state, status = (each.value or each.why_not for each in (gpu.state, gpu.status))
        holds = gpu.joined and gpu.health.value != SICK
        said = f"{state}, {status}" + (f", health {gpu.health.value}" if gpu.health.value else "")
        yield check(f"{host}: {gpu.bus}", holds, said, expected="Completed, Success", measured=said)


def _manager(host: str, seen: Fabric) -> Iterator[Part]:
    name = f"{host}: Fabric Manager"
    if seen.bus.value is None:
        yield unread(name, seen.bus)
        return
    if not any(device.is_nvswitch for device in seen.bus.value):
        yield skipped(name, "no NVSwitch on this host's PCI bus")
        return
    driver = seen.driver.value.module if seen.driver.value else None
    version, unit = seen.manager.version, seen.manager.unit
    if version.value is None:
        yield unread(name, version, expected=driver or "")
    elif driver is None:
        yield check(name, None, "the driver's version is not known", measured=version.value)
    else:
        said = f"{version.value or 'not installed'}, driver {driver}"
        yield check(name, version.value == driver, said, expected=driver, measured=version.value)
    if unit.value is None:
        yield unread(f"{name} service", unit, expected="active")
    else:
        said = f"{unit.value[0].active} ({unit.value[0].sub})"
        yield check(f"{name} service", unit.value[0].is_active, said, expected="active", measured=said)


def judge(seen: Mapping[str, Fabric], inventory: Inventory) -> Finding:
    """Each GPU's own registration; a healthy single-node board prints clique 0 and zeros, so those are not asked."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    return finding(
        (part for host, found in seen.items() for part in (*_gpus(host, found), *_manager(host, found))),
        good="every GPU behind NVSwitches has joined the fabric",
        expected="state Completed and status Success on every GPU; Fabric Manager active, of the driver's version",
        source=SOURCE,
    )


ASSUMPTION = Assumption(
    id="gpu-fabric-healthy",
    guide="K2 Thinking guide §2.2",
    states="Every GPU behind NVSwitches has joined the fabric.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="Install the Fabric Manager of exactly the driver's version, start it, and restart the host. Still not "
    "joined: send the vendor pack. CUDA's error 802 comes from here.",
    version=1,
    observe=observe,
    judge=judge,
)
