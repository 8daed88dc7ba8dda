"""The commands of the facts about GPU software, run by a real shell with stand-ins for the tools they call."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.facts.base import look
from tasks.facts.clock import ClockSyncFact
from tasks.facts.container_toolkit import ContainerToolkitFact
from tasks.facts.cuda_toolkit import CudaToolkit, CudaToolkitFact
from tasks.facts.docker_engine import DockerEngineFact
from tasks.facts.fabric_manager import FabricManagerFact
from tasks.facts.gpu import GpuFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.facts.gpu_topology import GpuTopologyFact
from tasks.facts.kernel_log import KernelLogFact
from tasks.facts.kernel_modules import KernelModuleFact
from tasks.facts.library_headers import LibraryHeaderFact
from tasks.facts.needrestart import NeedrestartFact, RestartMode
from tasks.facts.nouveau import NouveauFact
from tasks.facts.nvidia_pci import NvidiaPciFact
from tasks.facts.reading import Reading
from tasks.facts.secure_boot import MachineOwnerKeyFact, SecureBootFact
from tasks.facts.sudo_mode import SudoMode, SudoModeFact
from tasks.facts.systemd_units import SystemdUnitFact
from tasks.hosts import CommandFailed
from tasks.local import LocalHost
from tests.recorded.host_facts import BOOTED, UNIT, log, smi

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not Path("/proc/locks").exists(), reason="reads Linux's /proc"),
]
HOST = LocalHost()
Tool = Callable[..., None]


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Put a program on PATH that prints a text and ends with a status."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def put(name: str, said: str = "", status: int = 0, script: str = "") -> None:
        (folder / f"{name}.out").write_text(said)
        (folder / name).write_text(script or f'#!/bin/sh\ncat "{folder}/{name}.out"\nexit {status}\n')
        (folder / name).chmod(0o755)

    return put


def test_nvidia_smi_that_fails_is_an_error_with_its_words(tool: Tool) -> None:
    tool("nvidia-smi", log("nvml-mismatch-580.txt"), 18)
    with pytest.raises(CommandFailed, match="Driver/library version mismatch"):
        look(HOST, GpuFact())
    tool("nvidia-smi", 'Field "nope" is not a valid field to query.\n', 2)
    with pytest.raises(CommandFailed, match="not a valid field"):
        look(HOST, GpuFact())
    tool("nvidia-smi", smi("h200-gpu.csv"))
    assert look(HOST, GpuFact())[0].name == "NVIDIA H200"
    tool("nvidia-smi", smi("a100x8-topo.txt"))
    assert look(HOST, GpuTopologyFact()).all_nvlink


@pytest.mark.skipif(Path("/proc/driver/nvidia/version").exists(), reason="this machine has an NVIDIA driver")
def test_the_driver_reads_what_nvml_refuses(tool: Tool) -> None:
    tool("nvidia-smi", log("nvml-mismatch-580.txt"), 18)
    assert look(HOST, GpuDriverFact()).library.why_not.startswith("Failed to initialize NVML: Driver/library version")
    tool("nvidia-smi", smi("h200-version.txt"))
    driver = look(HOST, GpuDriverFact())
    assert driver.library == Reading("580.173.02") and driver.module is None and not driver.agree


def test_the_journal_is_read_first_and_dmesg_else(tool: Tool) -> None:
    start = "2026-08-10T09:00:00+0000 gpu-node-a kernel: Linux version 6.8.0-45-generic\n"
    tool("journalctl", start + "2026 gpu kernel: usb 1-1: new\n" + log("journal-xid-48-63-154.txt"))
    found = look(HOST, KernelLogFact())
    assert (found.source, found.whole, len(found.xids)) == ("journal", True, 5)
    tool("journalctl", "", 1)
    tool("dmesg", BOOTED + "[1.0] usb\n" + log("dmesg-off-the-bus-570.txt"))
    found = look(HOST, KernelLogFact())
    assert (found.source, found.whole, len(found.lost_gpus)) == ("dmesg", True, 1)
    tool("dmesg", "dmesg: read kernel buffer failed: Operation not permitted\n", 1)
    with pytest.raises(CommandFailed):
        look(HOST, KernelLogFact())


def test_kernel_modules_of_two_kernels(tool: Tool, tmp_path: Path) -> None:
    old, new = tmp_path / "modules" / os.uname().release, tmp_path / "modules" / "6.8.0-47-generic"
    for folder in (old, new, tmp_path / "modules" / "leftover", tmp_path / "boot"):
        folder.mkdir(parents=True)
    for folder in (old, new):
        (folder / "modules.dep").touch()
    (old / "build").mkdir()
    (new / "build").symlink_to("/usr/src/headers-that-are-not-there")
    (tmp_path / "boot" / "vmlinuz-6.8.0-47-generic").touch()
    tool(
        "modinfo",
        script=f"#!/bin/sh\n[ \"$2\" = '{os.uname().release}' ] || exit 1\ncase $4 in filename) echo /x.ko;; "
        "version) echo 580.95.05;; license) echo Dual MIT/GPL;; esac\n",
    )
    command = (
        KernelModuleFact().command.replace("/lib/modules", str(old.parent)).replace("/boot", str(tmp_path / "boot"))
    )
    found = {module.kernel: module for module in look(HOST, KernelModuleFact(command))}
    assert set(found) == {os.uname().release, "6.8.0-47-generic"}
    running, next_ = found[os.uname().release], found["6.8.0-47-generic"]
    assert (running.running, running.bootable, running.has_headers) == (True, False, True)
    assert (running.nvidia, running.license, running.signer) == ("580.95.05", "Dual MIT/GPL", None)
    assert (next_.running, next_.bootable, next_.has_headers, next_.nvidia) == (False, True, False, None)


def test_nouveau_in_the_initramfs(tool: Tool, tmp_path: Path) -> None:
    tool("lsmod", "Module                  Size  Used by\nnvidia 9719808 0\n")
    for place, text in (("etc", "options x y\n"), ("lib", "blacklist nouveau\n")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "gpu.conf").write_text(text)
    tool("lsinitramfs", "usr/lib/modules/6.8.0/kernel/drivers/gpu/drm/nouveau/nouveau.ko.zst\n")
    command = NouveauFact().command.replace("/boot/initrd.img-$k", str(tmp_path / "initrd"))
    for place in ("etc", "lib"):
        command = command.replace(f" /{place}/modprobe.d", f" {tmp_path / place}")
    assert look(HOST, NouveauFact(command)).in_initramfs == Reading(None, f"there is no {tmp_path / 'initrd'}")
    (tmp_path / "initrd").touch()
    found = look(HOST, NouveauFact(command))  # the file in /etc hides the one in /lib
    assert (found.loaded, found.blacklisted, found.in_initramfs) == (False, False, Reading(True))
    (tmp_path / "etc" / "gpu.conf").unlink()
    assert look(HOST, NouveauFact(command)).blacklisted
    tool("lsmod", "Module                  Size  Used by\nnouveau 2310144 0\n")
    assert look(HOST, NouveauFact(command)).loaded
    tool("lsmod", "", 1)
    with pytest.raises(CommandFailed):
        look(HOST, NouveauFact(command))
    tool("lsmod")
    tool("lsinitramfs", "usr/bin/busybox\n")
    assert look(HOST, NouveauFact(command)).in_initramfs == Reading(False)
    tool("lsinitramfs", "", 1)
    assert look(HOST, NouveauFact(command)).in_initramfs == Reading(None, "lsinitramfs failed")


def test_secure_boot_by_mokutil(tool: Tool, tmp_path: Path) -> None:
    state = SecureBootFact(SecureBootFact().command.replace("/sys/firmware/efi", str(tmp_path)))
    keys = MachineOwnerKeyFact(MachineOwnerKeyFact().command.replace("/sys/firmware/efi", str(tmp_path)))
    tool("mokutil", log("mokutil-no-efi.txt"), 255)
    assert not look(HOST, state).efi and look(HOST, keys) == ()
    tool("mokutil", log("mokutil-enabled.txt"))
    assert look(HOST, state).enforced
    tool("mokutil", log("mokutil-enrolled.txt"))
    assert len(look(HOST, keys)) == 1


def test_a_host_with_efi_and_without_mokutil_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = SecureBootFact().command.replace("/sys/firmware/efi", str(tmp_path)).replace("mokutil", "no-such-tool")
    with pytest.raises(CommandFailed, match="127"):
        look(HOST, SecureBootFact(command))
    absent = SecureBootFact().command.replace("/sys/firmware/efi", str(tmp_path / "absent"))
    assert not look(HOST, SecureBootFact(absent)).efi


def test_cuda_toolkits_behind_links(tmp_path: Path) -> None:
    folder = tmp_path / "cuda-12.4"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "nvcc").write_text("#!/bin/sh\necho Cuda compilation tools, release 12.4, V12.4.131\n")
    (folder / "bin" / "nvcc").chmod(0o755)
    (folder / "version.json").write_text('{\n "cuda" : {\n "version" : "12.4.1"\n }\n}\n')
    (tmp_path / "cuda").symlink_to(folder)
    (tmp_path / "cuda-11").mkdir()
    command = CudaToolkitFact().command.replace("/usr/local", str(tmp_path))
    assert CudaToolkit(str(folder), "12.4.131", "12.4.1") in look(HOST, CudaToolkitFact(command))
    assert str(tmp_path / "cuda") not in {toolkit.folder for toolkit in look(HOST, CudaToolkitFact(command))}


def test_the_header_of_nccl(tmp_path: Path) -> None:
    (tmp_path / "nccl.h").write_text(
        "#define NCCL_H_\n#define NCCL_MAJOR 2\n#define NCCL_MINOR 27\n#define NCCL_PATCH 7\n"
        '#define NCCL_SUFFIX ""\n#define NCCL_VERSION_CODE 22707\n'
    )

    class Here(LibraryHeaderFact):
        @property
        def command(self) -> str:
            return super().command.replace("/usr/include ", f"{tmp_path} ")

    assert (str(tmp_path / "nccl.h"), "2.27.7") in [
        (header.path, header.version) for header in look(HOST, Here("NCCL"))
    ]


def test_container_toolkit_and_its_secrets(tool: Tool, tmp_path: Path) -> None:
    tool("nvidia-ctk", log("nvidia-ctk-1.12.0.txt"))
    command = (
        ContainerToolkitFact().command.replace("/etc/docker", str(tmp_path)).replace("/etc/cdi", str(tmp_path / "cdi"))
    )
    (tmp_path / "cdi").mkdir()
    (tmp_path / "cdi" / "nvidia.yaml").touch()
    (tmp_path / "daemon.json").write_text(
        '{"runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}, '
        '"proxies": {"http-proxy": "http://user:geheim@10.0.0.1:3128"}}'
    )
    ran = HOST.run(command).check()
    found = ContainerToolkitFact().parse(ran.stdout)
    assert "geheim" not in ran.stdout
    assert (found.version, found.runtimes) == ("1.12.0", ("nvidia",))
    assert str(tmp_path / "cdi" / "nvidia.yaml") in found.cdi_specs


def test_docker_whose_daemon_refuses(tool: Tool) -> None:
    refusal = "permission denied while trying to connect to the Docker daemon socket"
    tool(
        "docker",
        script=f'#!/bin/sh\ncase "$*" in *Client*) echo 28.2.2; exit 1;; "compose version --short") echo 2.36.2;; '
        f"*) echo '{refusal}' >&2; exit 1;; esac\n",
    )
    engine = look(HOST, DockerEngineFact())
    assert (engine.client, engine.compose.value) == ("28.2.2", "2.36.2")
    assert engine.server == Reading(None, refusal) and engine.runtimes.value is None


@pytest.mark.parametrize(
    ("said", "mode"),
    [("sudo: a password is required", SudoMode.PASSWORD), ("", SudoMode.PASSWORDLESS)],
)
def test_sudo_of_a_plain_user(tool: Tool, said: str, mode: SudoMode) -> None:
    tool("id", "1000\n")
    tool("sudo", f"{said}\n" if said else "", 1 if said else 0)
    assert look(HOST, SudoModeFact()) is mode


def test_clock_services_in_their_order(tool: Tool) -> None:
    tool("timedatectl", "NTP=yes\nNTPSynchronized=yes\n")
    tool("ntpq", "", 1)
    tool("chronyc", "506 Cannot talk to daemon\n", 1)
    assert look(HOST, ClockSyncFact()).source == "systemd"
    tool("ntpq", log("ntpq-rv.txt"))
    assert look(HOST, ClockSyncFact()).source == "ntpd"
    tool("chronyc", log("chrony-tracking.txt"))
    assert look(HOST, ClockSyncFact()).source == "chrony"


def test_units_fabric_manager_and_needrestart(tool: Tool, tmp_path: Path) -> None:
    tool("systemctl", UNIT)
    assert look(HOST, SystemdUnitFact(("nvidia-fabricmanager.service",)))[0].is_active
    tool("nv-fabricmanager", log("nv-fabricmanager-580.159.03.txt"))
    assert look(HOST, FabricManagerFact()) == "580.159.03"
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "needrestart.conf").write_text("#$nrconf{restart} = 'i';\n$nrconf{restart} = 'l';\n")
    (tmp_path / "conf.d" / "50.conf").write_text("$nrconf{restart} = 'a';\n")
    command = NeedrestartFact().command.replace("/etc/needrestart", str(tmp_path))
    assert look(HOST, NeedrestartFact(command)).mode is RestartMode.RESTART


def test_the_pci_bus_by_its_folders(tmp_path: Path) -> None:
    drivers = tmp_path / "drivers" / "nouveau"
    drivers.mkdir(parents=True)
    for address, vendor, kind in (("0000:01:00.0", "0x10de", "0x030000"), ("0000:02:00.0", "0x8086", "0x020000")):
        (tmp_path / "pci" / address).mkdir(parents=True)
        for name, text in (("vendor", vendor), ("device", "0x1e81"), ("class", kind)):
            (tmp_path / "pci" / address / name).write_text(f"{text}\n")
        (tmp_path / "pci" / address / "driver").symlink_to(drivers)
    fact = NvidiaPciFact(NvidiaPciFact().command.replace("/sys/bus/pci/devices", str(tmp_path / "pci")))
    (found,) = look(HOST, fact)
    assert (found.address, found.device, found.driver, found.is_gpu) == ("0000:01:00.0", "0x1e81", "nouveau", True)
    (tmp_path / "pci" / "0000:01:00.0" / "driver").unlink()
    assert look(HOST, fact)[0].driver is None
    absent = NvidiaPciFact(NvidiaPciFact().command.replace("/sys/bus/pci/devices", str(tmp_path / "none")))
    with pytest.raises(CommandFailed, match="no PCI bus"):
        look(HOST, absent)
