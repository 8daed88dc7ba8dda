"""The facts over SSH on a test host: each fault that the host can have is seen by the fact that is there for it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tasks.facts.base import Fact
from tasks.facts.boot import BootFact
from tasks.facts.clock import clock_difference
from tasks.facts.gpu import GpuFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.facts.gpu_ecc import GpuEccFact
from tasks.facts.gpu_fabric import GpuFabricFact
from tasks.facts.gpu_pcie import GpuPcieFact
from tasks.facts.gpu_processes import GpuProcessFact
from tasks.facts.gpu_throttle import GpuThrottleFact
from tasks.facts.kernel_log import KernelLogFact
from tasks.facts.kernel_modules import KernelModuleFact
from tasks.facts.listening_ports import ListeningPortFact
from tasks.facts.nouveau import NouveauFact
from tasks.facts.nvlink import NvLinkFact
from tasks.facts.operating_system import OperatingSystemFact, PackageFamily
from tasks.facts.package_faults import PackageAuditFact
from tasks.facts.package_locks import PackageLockFact
from tasks.facts.secure_boot import SecureBootFact
from tasks.facts.sudo_mode import SudoMode, SudoModeFact
from tasks.facts.systemd_units import APT_TIMERS, SystemdUnitFact
from tasks.hosts import CommandFailed
from tests.hosts import docker
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine
from tests.hosts.packages import KERNEL, OLD

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
SETUP = (
    "export DEBIAN_FRONTEND=noninteractive; apt-get -q update && "
    f"printf 'Package: *nvidia*580*\\nPin: version {OLD}*\\nPin-Priority: 1001\\n' > /etc/apt/preferences.d/nvidia && "
    f"apt-get -q install -y linux-headers-{KERNEL} nvidia-driver-580-server-open nvidia-fabricmanager-580 && "
    "systemctl enable nvidia-fabricmanager"
)


def see(machine: Machine, fact: Fact[Any]) -> Any:
    """Read a fact over SSH, as root where it says so."""
    host = machine.host()
    try:
        ran = host.run(fact.command, timeout=60, sudo=getattr(fact, "needs_root", False))
        return fact.parse(ran.check().stdout)
    finally:
        host.close()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A host with eight H100 and a driver that runs."""
    why = docker.missing()
    if why is not None:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with (
        docker.engine(tmp_path_factory.mktemp("docker")),
        Fleet(1, os="ubuntu-24.04", gpu="h100-80gb", gpus=8) as fleet,
    ):
        machine = fleet[0]
        with pytest.raises(CommandFailed, match="127"):
            see(machine, GpuFact())
        assert see(machine, GpuDriverFact()).library.why_not == "nvidia-smi: not found"
        machine.run_in_container(SETUP, timeout=240)
        before = see(machine, BootFact())
        assert see(machine, GpuDriverFact()).module is None
        machine.reboot()
        assert see(machine, BootFact()).id != before.id
        yield machine


def test_a_host_in_order(machine: Machine) -> None:
    assert see(machine, OperatingSystemFact()).family is PackageFamily.APT
    assert see(machine, GpuDriverFact()).agree and see(machine, GpuDriverFact()).open_module
    assert [gpu.index for gpu in see(machine, GpuFact())] == list(range(8))
    (module,) = see(machine, KernelModuleFact())
    assert module.running and module.has_headers and module.nvidia == OLD
    assert all(fabric.joined for fabric in see(machine, GpuFabricFact()))
    assert see(machine, PackageAuditFact()).clean and see(machine, PackageLockFact()) == ()
    assert see(machine, SudoModeFact()) is SudoMode.PASSWORDLESS
    log = see(machine, KernelLogFact())
    assert log.whole and log.xids == ()
    assert all(unit.exists for unit in see(machine, SystemdUnitFact(APT_TIMERS)))


FAULTS: list[tuple[str, Fact[Any], Callable[[Any], bool]]] = [
    ("package-lock-held", PackageLockFact(), lambda locks: {lock.process for lock in locks} == {"apt-get"}),
    ("unattended-upgrades", PackageLockFact(), lambda locks: locks[0].process == "unattended-upgr"),
    ("half-configured", PackageAuditFact(), lambda audit: not audit.clean),
    ("secure-boot", SecureBootFact(), lambda state: state.enforced),
    ("xid", KernelLogFact(), lambda log: [xid.code for xid in log.xids] == [79] and len(log.lost_gpus) == 1),
    ("ecc", GpuEccFact(), lambda gpus: [gpu.uncorrected.value for gpu in gpus] == [2, 0, 0, 0, 0, 0, 0, 0]),
    ("fabric", GpuFabricFact(), lambda gpus: not all(gpu.joined for gpu in gpus)),
    ("throttled", GpuThrottleFact(), lambda gpus: any(gpu.hardware_thermal.value for gpu in gpus)),
    ("narrow-pcie", GpuPcieFact(), lambda gpus: [gpu.lanes.value for gpu in gpus][:2] == [4, 16]),
    ("nvlink-inactive", NvLinkFact(), lambda gpus: gpus[0].speeds_gb_s[3] is None),
    ("vram-held", GpuProcessFact(), lambda processes: processes[0].memory_mib.value == 70_000),
    ("gpu-missing", GpuFact(), lambda gpus: len(gpus) == 7),
    ("port-taken", ListeningPortFact(), lambda ports: 8000 in {port.port for port in ports}),
    ("sudo-password", SudoModeFact(), lambda mode: mode is SudoMode.PASSWORD),
]


@pytest.mark.parametrize(("name", "fact", "seen"), FAULTS, ids=[name for name, _, _ in FAULTS])
def test_a_fault_is_seen(machine: Machine, name: str, fact: Fact[Any], seen: Callable[[Any], bool]) -> None:
    before = see(machine, fact)
    assert before == () or not seen(before)
    with machine.fault(name):
        assert seen(see(machine, fact))


def test_an_audit_without_root_is_an_error_and_not_clean(machine: Machine) -> None:
    host = machine.host()
    with machine.fault("half-configured"), pytest.raises(CommandFailed, match="Permission denied"):
        host.run(PackageAuditFact().command).check()
    host.close()


def test_a_clock_a_day_behind(machine: Machine) -> None:
    with machine.fault("clock-skew"):
        host = machine.host()
        difference = clock_difference(host)
        host.close()
    assert difference.seconds == pytest.approx(-86_400, abs=1 + difference.bound_s)


def test_nouveau_after_a_reboot(machine: Machine) -> None:
    with machine.fault("nouveau"):
        machine.reboot()
        found = see(machine, NouveauFact())
        assert found.loaded and not found.blacklisted
        machine.run_in_container("echo 'blacklist nouveau' > /etc/modprobe.d/nouveau.conf")
        assert see(machine, NouveauFact()).blacklisted
