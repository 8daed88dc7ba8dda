"""The NVIDIA driver of one branch: installed, built for every kernel, loaded, and the same in kernel and library."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.gpu_driver import GpuDriver, GpuDriverFact
from tasks.facts.gpu_processes import GpuProcessFact
from tasks.facts.kernel_modules import KernelModule, KernelModuleFact
from tasks.facts.nouveau import NouveauFact
from tasks.facts.system_packages import SystemPackageFact
from tasks.hosts import Host, HostError
from tasks.operations.apt import install_step, need_apt
from tasks.operations.base import Step
from tasks.operations.driver_choice import DriverChoice
from tasks.operations.file_content import FileContent
from tasks.operations.kernel_headers import enforces_secure_boot

RESTART_S = 1800  # assumed: servers with eight GPUs and much RAM take many minutes to start


class SecureBootRefuses(HostError):
    """The firmware would not let the module load that is to be installed."""


class GpusInUse(HostError):
    """Programs hold the GPUs whose driver is to change."""


class NoKernel(HostError):
    """The host has no kernel of its own that a module could be for."""


def driver_pin(choice: DriverChoice) -> FileContent:
    """apt takes the declared version of every driver package and no other; without one it takes the newest."""
    text = "# no exact driver version is declared\n"
    if choice.version:
        pin = f"Pin: version {choice.version}*\nPin-Priority: 1001\n"
        text = f"Package: *nvidia*{choice.branch}*\n{pin}"
    return FileContent("/etc/apt/preferences.d/beachhead-nvidia", text)


@dataclass(frozen=True)
class Driver:
    """The driver of `choice` is loaded, is the same in kernel and library, and every kernel in /boot has its module.

    `build` is auto, dkms or signed, as in stack.driver.build.  A driver that is there by other means than packages of
    these names counts as well.
    """

    choice: DriverChoice
    build: str = "auto"

    @property
    def name(self) -> str:
        """For a person."""
        kind = "open" if self.choice.open_module else "proprietary"
        return f"NVIDIA driver {self.choice.version or self.choice.branch} ({kind} kernel module)"

    def plan(self, host: Host) -> Iterator[Step]:
        """Packages, modules that are still missing, and one restart."""
        kernels = self._kernels(host)
        if not self._fault(host):
            yield from self._build(kernels)
            return
        self._refuse_while_in_use(host)
        names = self._names(host, kernels)
        if not self._there(host, names):
            need_apt(host)
            yield from self._released(host)
            yield self._install(names)
        if self._there(host, names):  # in a dry run nothing has changed: the installation builds the modules
            yield from self._build(self._kernels(host))
        if fault := self._fault(host):
            yield self._restart(fault, self._kernels(host))

    def _kernels(self, host: Host) -> list[KernelModule]:
        kernels = [kernel for kernel in look(host, KernelModuleFact()) if kernel.bootable]
        if not kernels:
            raise NoKernel(
                "there is no kernel in /boot with modules, so there is nothing to build a driver for",
                where=host.name,
                fix="a container or micro-VM gets its driver from the machine below it: prepare that one",
            )
        return kernels

    def _fault(self, host: Host) -> str:
        """Why what is loaded is not the driver of the choice, or nothing."""
        now = look(host, GpuDriverFact())
        if now.module is None:
            nouveau = look(host, NouveauFact()).loaded
            return "nouveau holds the GPUs" if nouveau else "no NVIDIA kernel module is loaded"
        if not self._wanted(now.module):
            return f"the loaded kernel module is {now.module}"
        if not now.agree:
            return f"the loaded kernel module is {now.module}, the library says: {_library(now)}"
        if now.open_module != self.choice.open_module:
            return f"the loaded kernel module is the {'open' if now.open_module else 'proprietary'} one"
        return ""

    def _wanted(self, version: str) -> bool:
        if self.choice.version:
            return version == self.choice.version
        branch = int(version.split(".")[0])
        return branch >= self.choice.branch if self.choice.or_newer else branch == self.choice.branch

    def _names(self, host: Host, kernels: Sequence[KernelModule]) -> list[str]:
        """The packages, after the firmware was asked whether their module may load."""
        series, kind = self.choice.series, "-open" if self.choice.open_module else ""
        names = [f"{part}-{series}" for part in ("libnvidia-compute", "nvidia-compute-utils", "nvidia-utils")]
        secure = enforces_secure_boot(host)
        if secure and self.build == "dkms":
            raise SecureBootRefuses(
                "Secure Boot is on, and a module built on the host is not signed by a key that the firmware knows",
                where=host.name,
                fix="write `build: signed` under stack.driver, or switch Secure Boot off, or enrol a key (MOK) at the "
                "host's console; nothing was installed",
            )
        if secure or self.build == "signed":
            return [*(f"linux-modules-nvidia-{series}{kind}-{kernel.kernel}" for kernel in kernels), *names]
        return [f"nvidia-dkms-{series}{kind}", *names]

    def _there(self, host: Host, names: Sequence[str]) -> bool:
        found = {package.name: package for package in look(host, SystemPackageFact(tuple(names)))}
        version = self.choice.version
        return all(
            name in found
            and found[name].complete
            and (not version or name.startswith("linux-modules-") or found[name].version.startswith(f"{version}-"))
            for name in names
        )

    def _released(self, host: Host) -> Iterator[Step]:
        """apt's solver never removes a held package, whatever it is allowed; Holds sets the new ones again."""
        if held := sorted(package.name for package in look(host, SystemPackageFact(("*nvidia*",))) if package.held):
            words = " ".join(map(shlex.quote, held))
            yield Step(f"release the holds of {' '.join(held)}", f"apt-mark unhold -- {words}", sudo=True)

    def _install(self, names: Sequence[str]) -> Step:
        options = ["--allow-downgrades"] if self.choice.version else []
        why = f"install {' '.join(names)}: {self.choice.reason}"
        lost = "another NVIDIA driver on this host is removed by its packages"
        return install_step(names, *options, why=why, cannot_undo=lost)

    def _build(self, kernels: Sequence[KernelModule]) -> Iterator[Step]:
        for kernel in kernels:
            if kernel.nvidia is None:
                command = f"PATH=$PATH:/usr/sbin:/sbin; dkms autoinstall -k {shlex.quote(kernel.kernel)}"
                yield Step(f"build the module for kernel {kernel.kernel}", command, timeout=1800, sudo=True, long=True)

    def _refuse_while_in_use(self, host: Host) -> None:
        if not look(host, GpuDriverFact()).agree:
            return
        if holders := look(host, GpuProcessFact()):
            names = ", ".join(sorted({f"{holder.name} (pid {holder.pid})" for holder in holders}))
            raise GpusInUse(
                f"the driver is to change, and programs use the GPUs: {names}",
                where=host.name,
                fix="stop them, or prepare the host when they have ended; nothing was changed",
            )

    def _restart(self, missing: str, kernels: Sequence[KernelModule]) -> Step:
        """The host restarts itself only where every kernel has the module at that moment."""
        has = "modinfo -k {k} -F version nvidia >/dev/null 2>&1 || {{ echo {no} >&2; exit 1; }}"
        checks = [
            has.format(
                k=shlex.quote(k.kernel), no=shlex.quote(f"not restarted: kernel {k.kernel} has no nvidia module")
            )
            for k in kernels
        ]
        command = "; ".join(["PATH=$PATH:/usr/sbin:/sbin", *checks, "systemctl reboot"])
        lost = "every program on the host ends with the restart"
        return Step(f"restart: {missing}", command, timeout=RESTART_S, sudo=True, reboot=True, cannot_undo=lost)


def _library(now: GpuDriver) -> str:
    return now.library.value or now.library.why_not
