"""The Fabric Manager of a host with NVSwitch, at exactly the driver's version, and a fabric that every GPU joined."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.fabric_manager import UNIT, FabricManagerFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.facts.gpu_fabric import GpuFabric, GpuFabricFact
from tasks.facts.nvidia_pci import NvidiaPciFact
from tasks.facts.systemd_units import SystemdUnitFact
from tasks.hosts import Host, HostError
from tasks.operations.apt import install_step, need_apt
from tasks.operations.base import Step
from tasks.operations.systemd_service import SystemdService

POLL_S = 2.0


class FabricNotJoined(HostError):
    """A GPU is not part of the NVSwitch fabric though the Fabric Manager runs."""


@dataclass(frozen=True)
class FabricManager:
    """Where NVSwitches are on the bus: the manager runs at the driver's version and every GPU joined its fabric.

    Without NVSwitch there is nothing to do.  `branch` names the package; `settle_s` is how long the fabric may take.
    """

    branch: int
    settle_s: float = 120  # assumed

    @property
    def name(self) -> str:
        """For a person."""
        return "Fabric Manager"

    def plan(self, host: Host) -> Iterator[Step]:
        """Install or change it, start it, and refuse a fabric that is not whole."""
        if not any(device.is_nvswitch for device in look(host, NvidiaPciFact())):
            return
        driver = look(host, GpuDriverFact())
        (before,) = look(host, SystemdUnitFact((UNIT,)))
        if look(host, FabricManagerFact()) != (driver.module or ""):
            need_apt(host)
            branch = driver.module.split(".")[0] if driver.module else self.branch
            exact = f"={driver.module}-*" if driver.module else ""
            options = ("--allow-downgrades", "--allow-change-held-packages") if driver.module else ()
            yield install_step([f"nvidia-fabricmanager-{branch}{exact}"], *options)
            if before.is_active:
                yield Step("restart the Fabric Manager", f"systemctl restart {UNIT}", timeout=300, sudo=True)
        yield from SystemdService(UNIT).plan(host)
        (now,) = look(host, SystemdUnitFact((UNIT,)))
        if now.is_active and driver.agree:
            self._settled(host)

    def _settled(self, host: Host) -> None:
        deadline = time.monotonic() + self.settle_s
        while apart := [gpu for gpu in look(host, GpuFabricFact()) if not gpu.joined and _belongs(gpu)]:
            if time.monotonic() > deadline or all(_ended(gpu) for gpu in apart):
                told = "; ".join(f"{gpu.bus}: {_word(gpu)}" for gpu in apart)
                raise FabricNotJoined(
                    f"{len(apart)} GPUs are not part of the NVSwitch fabric: {told}",
                    where=host.name,
                    fix="see journalctl -u nvidia-fabricmanager and nvidia-smi -q on the host; a GPU or switch may be "
                    "due for a reset or for service",
                )
            time.sleep(min(POLL_S, self.settle_s))


def _belongs(gpu: GpuFabric) -> bool:
    """Older GPUs behind NVSwitch print no state; then the service alone speaks."""
    return gpu.state.value is not None


def _ended(gpu: GpuFabric) -> bool:
    return gpu.state.value == "Completed"


def _word(gpu: GpuFabric) -> str:
    return f"{gpu.state.value or gpu.state.why_not}, {gpu.status.value or gpu.status.why_not}"
