"""Claim: the driver is loaded again after the next start: Secure Boot accepts it, and the next kernel has a module."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, skipped, unread
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts import secure_boot
from tasks.facts.gpu_driver import GpuDriver, GpuDriverFact
from tasks.facts.kernel_modules import KernelModule, KernelModuleFact
from tasks.facts.reading import Reading
from tasks.hosts import Host
from tasks.site import Site

SOURCE = "the host's firmware (mokutil) and modinfo for each kernel in /boot; K2 Thinking guide §3.2"


@dataclass(frozen=True, slots=True)
class NextBoot:
    """What the firmware enforces, what is loaded now, and what each kernel would load."""

    firmware: Reading[secure_boot.SecureBoot]
    driver: Reading[GpuDriver]
    kernels: Reading[tuple[KernelModule, ...]]


def observe(site: Site, stage: Stage) -> dict[str, NextBoot]:
    """Ask firmware, kernel and module files of each host with GPUs."""

    def see(host: Host, _: HostSpec) -> NextBoot:
        return NextBoot(
            attempt(host, secure_boot.SecureBootFact()),
            attempt(host, GpuDriverFact()),
            attempt(host, KernelModuleFact()),
        )

    return each(site, gpu_hosts(site.inventory), see)


def _firmware(host: str, seen: NextBoot) -> Part:
    name = f"{host}: Secure Boot"
    if seen.firmware.value is None:
        return unread(name, seen.firmware)
    if not seen.firmware.value.enforced:
        said = "not enforced" if seen.firmware.value.efi else "started by BIOS, which has none"
        return check(name, True, said, measured=said)
    if seen.driver.value is None:
        return unread(name, seen.driver)
    loaded = seen.driver.value.module is not None
    said = "enforced, and it accepted the driver" if loaded else "enforced, and no driver is loaded: it was refused"
    return check(name, loaded, said, expected="the driver is accepted", measured="enforced")


def _newest(kernels: tuple[KernelModule, ...]) -> KernelModule | None:
    """The kernel that a boot loader takes unless it was told otherwise."""
    able = [kernel for kernel in kernels if kernel.bootable]
    return max(able, key=lambda kernel: [int(n) for n in re.findall(r"\d+", kernel.kernel)], default=None)


def _kernel(host: str, seen: NextBoot) -> Iterator[Part]:
    name = f"{host}: next kernel"
    if seen.kernels.value is None:
        yield unread(name, seen.kernels)
        return
    newest = _newest(seen.kernels.value)
    if newest is None:
        yield skipped(name, "no kernel lies in /boot: it comes from outside")
        return
    enforced = seen.firmware.value is not None and seen.firmware.value.enforced
    said = f"{newest.kernel}: " + (f"module {newest.nvidia}" if newest.nvidia else "no NVIDIA module: no GPU after it")
    holds: bool | None = newest.nvidia is not None
    if holds and enforced and not newest.signer:
        holds, said = None, f"{said}, and modinfo names no signer"
    yield check(name, holds, said, expected="a module", measured=newest.nvidia or "none")


def judge(seen: Mapping[str, NextBoot], inventory: Inventory) -> Finding:
    """Firmware and the newest kernel in /boot; older kernels may lack a module."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    return finding(
        (part for host, found in seen.items() for part in (_firmware(host, found), *_kernel(host, found))),
        good="the next start of every host loads the driver",
        expected="Secure Boot off, or the driver accepted by it; a module for the newest kernel in /boot",
        source=SOURCE,
    )


ASSUMPTION = Assumption(
    id="secure-boot",
    guide="K2 Thinking guide §3.2",
    states="The next start of each host loads the NVIDIA driver again.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="Use a driver package with signed modules, enrol its key at the console (MOK), or switch Secure Boot off. A "
    "kernel without a module: install its headers and rebuild (dkms autoinstall) before the host is restarted.",
    version=1,
    observe=observe,
    judge=judge,
)
