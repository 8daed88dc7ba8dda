"""What is wrong with a host makes the right claim fail, and what can't be told makes it UNKNOWN: outputs replayed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions._host_xid import Action
from tasks.facts.all_reduce import AllReduceFact
from tasks.facts.clock import HostTimeFact
from tasks.facts.container_gpus import ContainerGpusFact
from tasks.facts.dcgm import DcgmFact
from tasks.facts.dcgm_diagnostics import DcgmDiagnosticsFact
from tasks.facts.disk_read import DiskReadFact, FioReadFact
from tasks.facts.fabric_manager import UNIT, FabricManagerFact
from tasks.facts.folder_size import FolderSizeFact
from tasks.facts.gpu import GpuFact
from tasks.facts.gpu_cuda import DriverCudaFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.facts.gpu_ecc import GpuEccFact, GpuRowsFact
from tasks.facts.gpu_fabric import GpuFabricFact
from tasks.facts.gpu_pcie import GpuPcieFact
from tasks.facts.gpu_power import GpuPowerFact
from tasks.facts.gpu_processes import GpuProcessFact
from tasks.facts.gpu_recovery import GpuRecoveryFact
from tasks.facts.gpu_throttle import GpuThrottleFact
from tasks.facts.gpu_topology import GpuTopologyFact
from tasks.facts.kernel_log import KernelLogFact
from tasks.facts.kernel_modules import KernelModuleFact
from tasks.facts.largest_file import LargestFileFact
from tasks.facts.library_headers import LibraryHeaderFact
from tasks.facts.memory import MemoryFact, MemoryLimitFact
from tasks.facts.mounts import MountOfFact
from tasks.facts.network_interfaces import NetworkInterfaceFact
from tasks.facts.nvidia_pci import NvidiaPciFact
from tasks.facts.nvlink import NvLinkFact
from tasks.facts.operating_system import OperatingSystemFact
from tasks.facts.processor import ProcessorFact
from tasks.facts.secure_boot import SecureBootFact
from tasks.facts.system_packages import SystemPackageFact
from tasks.facts.systemd_units import SystemdUnitFact
from tests.assumptions import host_scene as scene
from tests.assumptions.host_scene import absent, failed, report, rows
from tests.recorded.host_facts import UNIT as RUNNING
from tests.recorded.host_facts import kernel, log, smi

PASS, FAIL, UNKNOWN, SKIP = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
MODELS, ROOT = MountOfFact("/opt/beachhead/models"), "/opt/beachhead"
LARGEST = LargestFileFact(f"{ROOT}/models", scene.AT_LEAST_MIB)
ANYWHERE = LargestFileFact(ROOT, scene.AT_LEAST_MIB)
FIO, DD = FioReadFact(scene.WEIGHTS, 3), DiskReadFact(scene.WEIGHTS, 512)
DIAG, REDUCE = DcgmDiagnosticsFact(1), AllReduceFact(8, scene.MIB)
GONE = "/dev/nvidia0: no such device"
SLOW_FIO = scene.FIO.replace('"io_bytes": 10485760000', '"io_bytes": 104857600')
SLOW_DD = "2+0 records in\n2+0 records out\n33554432 bytes (34 MB, 32 MiB) copied, 1.0 s, 33 MB/s\n"
ROOM = FolderSizeFact(scene.folders(scene.inventory(), scene.inventory().hosts[0]))


def without_engine(*names: str) -> dict[Any, Any]:
    """The engine is not installed yet."""
    asked = scene.engine_holds(scene.inventory(), *names)
    return {asked: absent(asked, asked.python)}


def nth(text: str, old: str, new: str, row: int = 3) -> str:
    """`text` with `old` replaced in one line."""
    lines = text.splitlines(keepends=True)
    assert old in lines[row], lines[row]
    lines[row] = lines[row].replace(old, new)
    return "".join(lines)


def one_fabric(state: str, status: str) -> str:
    """The last card's fabric as others have published it."""
    head, _, last = report().rpartition("    Fabric\n")
    healthy = (
        "State                                      : Completed",
        "Status                                     : Success",
    )
    for line, word in zip(healthy, (state, status), strict=True):
        assert line in last
        last = last.replace(line, line.rpartition(" ")[0] + f" {word}")
    return f"{head}    Fabric\n{last}"


def sick_fabric() -> str:
    head, _, last = report().rpartition("Summary                                : N/A")
    return f"{head}Summary                                : Unhealthy{last}"


def no_fabric() -> str:
    text = report()
    return text.replace(": Completed", ": N/A").replace(": Success", ": N/A")


def driver(module: str = "580.173.02", library: str = "580.173.02") -> str:
    return scene.LOADED.replace("580.173.02", module) + f"@@ library\n{library}\n"


# claim, outputs that differ from a healthy host's, outcome, what stands in the reason
Case = tuple[str, dict[Any, Any], Outcome, str]
GPUS: list[Case] = [
    ("gpus-as-ordered", {GpuFact(): rows("h200-gpu.csv", 7)}, FAIL, "the driver lists 7, 8 were ordered"),
    ("gpus-as-ordered", {GpuFact(): failed(GpuFact(), GONE, 255), NvidiaPciFact(): scene.pci(7)}, FAIL, "7 on the PCI"),
    ("gpus-as-ordered", {GpuFact(): failed(GpuFact(), GONE, 255)}, UNKNOWN, "no such device"),
    ("gpus-as-ordered", {GpuFact(): nth(rows("h200-gpu.csv"), "NVIDIA H200", "NVIDIA H100 80GB HBM3")}, FAIL, "H100"),
    ("gpus-as-ordered", {GpuFact(): nth(rows("h200-gpu.csv"), "NVIDIA H200", "NVIDIA GH200 480GB")}, FAIL, "GH200"),
    ("gpus-as-ordered", {GpuFact(): nth(rows("h200-gpu.csv"), "143771 MiB", "97871 MiB")}, FAIL, "97871 MiB"),
    ("gpus-as-ordered", {GpuFact(): nth(rows("h200-gpu.csv"), "143771 MiB", "[N/A]")}, UNKNOWN, "does not tell"),
    ("gpus-as-ordered", {GpuFact(): nth(rows("h200-gpu.csv"), "Enabled, Disabled", "Enabled, Enabled")}, FAIL, "MIG"),
    ("gpus-as-ordered", {NvidiaPciFact(): scene.pci(9)}, FAIL, "the driver does not list"),
    ("gpus-as-ordered", {NvidiaPciFact(): failed(NvidiaPciFact(), "no PCI bus")}, PASS, "8 GPUs of the ordered model"),
    ("gpu-driver-minimum", {GpuDriverFact(): driver("570.211.01", "570.211.01")}, FAIL, "570.211.01"),
    (
        "gpu-driver-minimum",
        {GpuDriverFact(): scene.LOADED + "@@ library\n" + log("nvml-mismatch-580.txt")},
        FAIL,
        "mism",
    ),
    ("gpu-driver-minimum", {GpuDriverFact(): driver(library="580.178.01")}, FAIL, "library 580.178.01"),
    (
        "gpu-driver-minimum",
        {GpuDriverFact(): "@@ module\nabsent\n@@ library\nnvidia-smi: not found\n"},
        FAIL,
        "no module",
    ),
    ("gpu-driver-minimum", {GpuDriverFact(): failed(GpuDriverFact(), "denied")}, UNKNOWN, "denied"),
    ("cuda-minimum", {DriverCudaFact(): report().replace(": 13.0", ": 12.8")}, FAIL, "up to CUDA 12.8"),
    ("cuda-minimum", {DriverCudaFact(): report().replace("CUDA Version ", "CUDA UMD Version ")}, PASS, "CUDA 13.0"),
    ("cuda-minimum", {DriverCudaFact(): report().replace(": 13.0", ": N/A")}, UNKNOWN, "can't read"),
    (
        "cudnn-minimum",
        {SystemPackageFact(scene.CUDNN): "@@ packages\nlibcudnn8\t8.8.1.3-1+cuda12.0\tii \n@@ end\n"},
        FAIL,
        "8.8.1.3",
    ),
    (
        "cudnn-minimum",
        {SystemPackageFact(scene.CUDNN): "@@ packages\n@@ end\n", **without_engine(*scene.CUDNN_WHEELS)},
        UNKNOWN,
        "no copy was found",
    ),
    (
        "nccl-minimum",
        {
            LibraryHeaderFact("NCCL"): "@@ headers\n/usr/include/nccl.h #define NCCL_MAJOR 2\n"
            "/usr/include/nccl.h #define NCCL_MINOR 17\n/usr/include/nccl.h #define NCCL_PATCH 1\n"
        },
        FAIL,
        "2.17.1",
    ),
    (
        "nccl-minimum",
        {SystemPackageFact(scene.NCCL): "@@ packages\n@@ end\n", **without_engine(*scene.NCCL_WHEELS)},
        UNKNOWN,
        "no copy was found",
    ),
    ("gpu-interconnect", {GpuTopologyFact(): scene.topology("SYS")}, FAIL, "some pairs meet by SYS"),
    ("gpu-interconnect", {NvLinkFact(): nth(scene.links(), "26.562 GB/s", "<inactive>")}, FAIL, "17 of 18"),
    ("gpu-interconnect", {NvLinkFact(): failed(NvLinkFact(), GONE)}, UNKNOWN, "no such device"),
    ("gpu-interconnect", {GpuPcieFact(): nth(rows("h200-pcie.csv"), "16, 16", "4, 16")}, FAIL, "4 of 16 lanes"),
    ("gpu-interconnect", {GpuPcieFact(): nth(rows("h200-pcie.csv"), "16, 16", "[N/A], 16")}, UNKNOWN, "[N/A]"),
    ("gpu-fabric-healthy", {GpuFabricFact(): one_fabric("In Progress", "N/A")}, FAIL, "In Progress"),
    ("gpu-fabric-healthy", {GpuFabricFact(): one_fabric("Completed", "Insufficient Resources")}, FAIL, "Insufficient"),
    ("gpu-fabric-healthy", {GpuFabricFact(): sick_fabric()}, FAIL, "Unhealthy"),
    ("gpu-fabric-healthy", {GpuFabricFact(): failed(GpuFabricFact(), GONE)}, UNKNOWN, "no such device"),
    (
        "gpu-fabric-healthy",
        {FabricManagerFact(): "@@ version\nFabric Manager version is : 580.95.05\n"},
        FAIL,
        "580.95.05",
    ),
    ("gpu-fabric-healthy", {FabricManagerFact(): "@@ version\nabsent\n"}, FAIL, "not installed"),
    ("gpu-fabric-healthy", {FabricManagerFact(): failed(FabricManagerFact(), "broken")}, UNKNOWN, "broken"),
    (
        "gpu-fabric-healthy",
        {SystemdUnitFact((UNIT,)): RUNNING.replace("ActiveState=active", "ActiveState=failed")},
        FAIL,
        "failed",
    ),
    ("gpu-fabric-healthy", {NvidiaPciFact(): failed(NvidiaPciFact(), "no PCI bus")}, UNKNOWN, "no PCI bus"),
    ("gpu-fabric-healthy", {GpuFabricFact(): no_fabric()}, PASS, "joined"),  # as on A100: the switches' service counts
    ("gpu-fabric-healthy", {GpuFabricFact(): no_fabric(), NvidiaPciFact(): scene.pci(8, 0)}, SKIP, "no fabric"),
    ("gpu-memory-errors", {GpuEccFact(): nth(rows("h200-ecc.csv"), "0, 0, 0, 0", "0, 2, 0, 2")}, FAIL, "2 uncorrected"),
    (
        "gpu-memory-errors",
        {GpuEccFact(): nth(rows("h200-ecc.csv"), "0, 0, 0, 0", "0, 0, 7, 3")},
        PASS,
        "no uncorrected",
    ),
    (
        "gpu-memory-errors",
        {GpuEccFact(): nth(rows("h200-ecc.csv"), "Enabled, En", "Disabled, En")},
        FAIL,
        "switched off",
    ),
    ("gpu-memory-errors", {GpuEccFact(): nth(rows("h200-ecc.csv"), "0, 0, 0, 0", "0, ERR!, 0, 0")}, UNKNOWN, "ERR!"),
    ("gpu-memory-errors", {GpuRowsFact(): nth(rows("rtx-pro-remapped-rows.csv"), "No, No", "Yes, No")}, FAIL, "reset"),
    ("gpu-memory-errors", {GpuRowsFact(): nth(rows("rtx-pro-remapped-rows.csv"), "No, No", "No, Yes")}, FAIL, "RMA"),
    (
        "gpu-memory-errors",
        {GpuRowsFact(): nth(rows("rtx-pro-remapped-rows.csv"), "No, No", "[N/A], No")},
        UNKNOWN,
        "N/A",
    ),
    (
        "gpu-memory-errors",
        {GpuRecoveryFact(): nth(rows("h200-recovery.csv"), "None", "Reboot")},
        FAIL,
        "reboot the host",
    ),
    ("gpu-memory-errors", {GpuRecoveryFact(): nth(rows("h200-recovery.csv"), "None", "Pray")}, FAIL, "support"),
    ("gpu-memory-errors", {GpuRecoveryFact(): failed(GpuRecoveryFact(), "not a valid field")}, UNKNOWN, "valid field"),
    ("gpu-xid-clean", {KernelLogFact(): kernel(log("dmesg-xid-31-62-45.txt"))}, FAIL, "Xid 62"),
    ("gpu-xid-clean", {KernelLogFact(): kernel(log("journal-xid-48-63-154.txt"), "journal")}, FAIL, "Xid 48"),
    ("gpu-xid-clean", {KernelLogFact(): kernel(log("dmesg-off-the-bus-570.txt"))}, FAIL, "fallen off the bus"),
    (
        "gpu-xid-clean",
        {KernelLogFact(): kernel("[9.0] NVRM: Xid (PCI:0000:83:00): 79, GPU has fallen off\n")},
        FAIL,
        "79",
    ),
    ("gpu-xid-clean", {KernelLogFact(): kernel("[9.0] NVRM: Xid (PCI:0000:83:00): 999, new\n")}, FAIL, "no table here"),
    ("gpu-xid-clean", {KernelLogFact(): kernel("[9.0] NVRM: Xid (PCI:0000:83:00): 45, pid=7, Ch 8\n")}, PASS, "no Xid"),
    ("gpu-xid-clean", {KernelLogFact(): kernel("[9.0] NVRM: Xid (PCI:0000:83:00): 31, MMU\n")}, PASS, "no Xid against"),
    (
        "gpu-xid-clean",
        {KernelLogFact(): kernel("", start="[ 9.0] usb 1-1: new device\n")},
        UNKNOWN,
        "does not reach back",
    ),
    (
        "gpu-xid-clean",
        {KernelLogFact(): kernel("[9.0] NVRM: Xid (PCI:0000:83:00): 79, GPU\n", start="[ 9.0] usb 1-1: new\n")},
        FAIL,
        "79",
    ),
    ("gpu-xid-clean", {KernelLogFact(): failed(KernelLogFact(), "Operation not permitted")}, UNKNOWN, "not permitted"),
    (
        "gpu-throttling",
        {GpuThrottleFact(): nth(rows("h200-throttle.csv"), ", Not Active\n", ", Active\n")},
        FAIL,
        "too hot",
    ),
    (
        "gpu-throttling",
        {GpuThrottleFact(): nth(rows("h200-throttle.csv"), ", Not Active\n", ", [N/A]\n")},
        UNKNOWN,
        "tell",
    ),
    (
        "gpu-throttling",
        {GpuPowerFact(): nth(rows("h200-power.csv"), "12 W, 700.00 W", "12 W, 300.00 W")},
        FAIL,
        "300 W",
    ),
    ("gpu-throttling", {GpuPowerFact(): failed(GpuPowerFact(), GONE)}, UNKNOWN, "no such device"),
    ("driver-in-container", {ContainerGpusFact(): absent(ContainerGpusFact(), "docker")}, SKIP, "Docker is not"),
    ("driver-in-container", {ContainerGpusFact(): "@@ image -\n@@ exit 0\n"}, UNKNOWN, "no image lies"),
    (
        "driver-in-container",
        {ContainerGpusFact(): "@@ image 3f2a\ndocker: could not select device driver\n@@ exit 125\n"},
        FAIL,
        "could not select device driver",
    ),
    (
        "driver-in-container",
        {ContainerGpusFact(): "@@ image 3f2a\nFailed to initialize NVML: Unknown Error\n@@ exit 255\n"},
        FAIL,
        "Unknown Error",
    ),
    ("driver-in-container", {ContainerGpusFact(): failed(ContainerGpusFact(), "permission denied")}, UNKNOWN, "denied"),
    (
        "secure-boot",
        {KernelModuleFact(): scene.modules(scene.KERNEL, "6.8.0-47-generic|no|yes|no|-|-|-")},
        FAIL,
        "6.8.0-47",
    ),
    (
        "secure-boot",
        {KernelModuleFact(): scene.modules(scene.KERNEL, "6.8.0-40-generic|no|yes|no|-|-|-")},
        PASS,
        "loads",
    ),
    ("secure-boot", {SecureBootFact(): "@@ state\n" + log("mokutil-enabled.txt")}, PASS, "loads the driver"),
    (
        "secure-boot",
        {
            SecureBootFact(): "@@ state\n" + log("mokutil-enabled.txt"),
            GpuDriverFact(): "@@ module\nabsent\n@@ library\nx\n",
        },
        FAIL,
        "refused",
    ),
    (
        "secure-boot",
        {
            SecureBootFact(): "@@ state\n" + log("mokutil-enabled.txt"),
            KernelModuleFact(): scene.modules(scene.KERNEL.replace("DKMS module signing key", "-")),
        },
        UNKNOWN,
        "no signer",
    ),
    ("secure-boot", {SecureBootFact(): absent(SecureBootFact(), "mokutil")}, UNKNOWN, "mokutil"),
    ("dcgm-diagnostics", {DcgmFact(): "@@ version\nabsent\n"}, UNKNOWN, "not installed"),
    ("dcgm-diagnostics", {DIAG: scene.DIAGNOSED.replace("Pass", "Fail")}, FAIL, "software: Fail"),
    ("dcgm-diagnostics", {DIAG: scene.DIAGNOSED.replace("Pass", "Warn")}, UNKNOWN, "Warn"),
    ("dcgm-diagnostics", {DIAG: scene.DIAGNOSED.replace("Pass", "Skip")}, UNKNOWN, "0 of 1"),
    ("dcgm-diagnostics", {DIAG: "Error: unable to connect to the host engine\n"}, UNKNOWN, "can't read"),
    ("nccl-all-reduce", {REDUCE: scene.REDUCED.replace("470.73", "43.10")}, FAIL, "43.1 GB/s"),
    ("nccl-all-reduce", {REDUCE: scene.REDUCED.replace("values : 0 OK", "values : 3 FAILED")}, FAIL, "3 values"),
    ("nccl-all-reduce", {REDUCE: absent(REDUCE, "all_reduce_perf")}, UNKNOWN, "nccl-tests"),
    ("nccl-all-reduce", {GpuProcessFact(): smi("h200-processes.csv")}, UNKNOWN, "in use"),
    ("nccl-all-reduce", {GpuProcessFact(): failed(GpuProcessFact(), GONE)}, UNKNOWN, "no such device"),
]
HOSTS: list[Case] = [
    ("system-ram", {MemoryFact(): scene.memory(251)}, FAIL, "251.0 GiB, 512 were ordered"),
    ("system-ram", {MemoryLimitFact(): "@@ limits\n/ 68719476736\n@@ kills\noom_kill 0\n"}, FAIL, "64.0 GiB"),
    ("system-ram", {MemoryLimitFact(): failed(MemoryLimitFact(), "no control group")}, UNKNOWN, "no control group"),
    ("ram-256-gb", {MemoryFact(): scene.memory(125)}, FAIL, "125.0 GiB"),
    ("ram-256-gb", {MemoryFact(): scene.memory(251)}, PASS, "251.0 GiB or more"),
    ("ram-256-gb", {MemoryFact(): failed(MemoryFact(), "denied")}, UNKNOWN, "denied"),
    ("system-cores", {ProcessorFact(): scene.processor(16, 32)}, FAIL, "16 cores, 32 threads"),
    ("system-cores", {ProcessorFact(): scene.processor(32, 64)}, UNKNOWN, "only if the 64 are threads"),
    ("system-cores", {ProcessorFact(): failed(ProcessorFact(), "lscpu: not found", 127)}, UNKNOWN, "lscpu"),
    ("storage-capacity", {MODELS: scene.mount(5 * 10**11, 10**12)}, FAIL, "500.0 GB free"),
    ("storage-capacity", {MODELS: scene.mount(10**11, 10**12), ROOM: "bytes=600000000000\n"}, PASS, "room for"),
    ("storage-capacity", {MODELS: scene.mount(10**13, 10**13, options="ro")}, FAIL, "read-only"),
    ("storage-capacity", {MODELS: scene.mount(10**13, 10**13, inodes=12)}, FAIL, "12 left"),
    ("storage-capacity", {ROOM: failed(ROOM, "du: Permission denied")}, UNKNOWN, "Permission denied"),
    ("nvme-1-tb", {MODELS: scene.mount(10**11, 9 * 10**11)}, FAIL, "0.90 TB"),
    ("nvme-1-tb", {MODELS: scene.mount(10**12, 2 * 10**12, rotational="1")}, UNKNOWN, "claims to rotate"),
    ("nvme-1-tb", {MODELS: scene.mount(10**12, 2 * 10**12, rotational="no disk")}, UNKNOWN, "no disk"),
    ("storage-read-speed", {FIO: SLOW_FIO}, FAIL, "21 MB/s, 32 requests"),
    ("storage-read-speed", {FIO: absent(FIO, "fio"), DD: SLOW_DD}, UNKNOWN, "install fio"),
    ("storage-read-speed", {FIO: absent(FIO, "fio"), DD: SLOW_DD.replace("1.0 s", "0.01 s")}, PASS, "MB/s"),
    ("storage-read-speed", {FIO: absent(FIO, "fio"), DD: failed(DD, "Invalid argument")}, UNKNOWN, "Invalid argument"),
    ("storage-read-speed", {LARGEST: "@@ file\n", ANYWHERE: "@@ file\n"}, UNKNOWN, "no file of 64 MiB"),
    ("network-speed", {NetworkInterfaceFact(): "eth0 mtu=1500 state=up speed=1000 device=yes\n"}, FAIL, "1 Gbit/s"),
    ("network-speed", {NetworkInterfaceFact(): "eth0 mtu=1500 state=up speed=-1 device=yes\n"}, UNKNOWN, "eth0"),
    (
        "network-speed",
        {NetworkInterfaceFact(): "eth0 mtu=1500 state=down speed=25000 device=yes\n"},
        UNKNOWN,
        "no interf",
    ),
    ("operating-system", {OperatingSystemFact(): "id=arch\nlike=\nversion=\nkernel=6.18\narch=x86_64\n"}, FAIL, "arch"),
    (
        "operating-system",
        {OperatingSystemFact(): "id=rocky\nlike=rhel centos fedora\nversion=9.6\nkernel=5.14\narch=x86_64\n"},
        PASS,
        "rocky 9.6",
    ),
    (
        "operating-system",
        {OperatingSystemFact(): "id=ubuntu\nlike=debian\nversion=18.04\nkernel=4.15\narch=x86_64\n"},
        FAIL,
        "18.04",
    ),
    (
        "operating-system",
        {OperatingSystemFact(): failed(OperatingSystemFact(), "no such file")},
        UNKNOWN,
        "no such file",
    ),
    ("clock-in-step", {HostTimeFact(): f"{time.time() + 86400:.9f}\n"}, FAIL, "ahead"),
    ("clock-in-step", {HostTimeFact(): f"{time.time() - 86400:.9f}\n"}, FAIL, "behind"),
    ("clock-in-step", {HostTimeFact(): "1795370812.N\n"}, UNKNOWN, "can't read"),
]


@pytest.mark.parametrize(
    ("claim_id", "changes", "outcome", "because"),
    GPUS + HOSTS,
    ids=[f"{c[0]}-{c[2]}-{n}" for n, c in enumerate(GPUS + HOSTS)],
)
def test_the_right_claim_says_it(
    claim_id: str, changes: dict[Any, Any], outcome: Outcome, because: str, tmp_path: Path
) -> None:
    finding = scene.judged(tmp_path, claim_id, changes).finding
    assert finding.outcome is outcome, finding
    assert because in finding.because or any(because in part.because for part in finding.parts), finding
    assert finding.parts, "the claim itself broke"


def test_every_claim_fails_and_is_unknown_somewhere_here() -> None:
    claims = {case[0] for case in GPUS + HOSTS}
    assert {case[0] for case in GPUS + HOSTS if case[2] is FAIL} == claims
    assert {case[0] for case in GPUS + HOSTS if case[2] is UNKNOWN} == claims


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("48, DBE", Action.RESET),
        ("64, Row Remapper: error recording remapped row", Action.RETURN),
        ("79, GPU has fallen off the bus.", Action.REBOOT),
        ("154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)", Action.REBOOT),
        ("154, GPU recovery action changed from 0x0 (None) to 0x4 (Drain and Reset)", Action.RESET),
        ("777, something new", Action.ASK),
    ],
)
def test_an_xid_says_what_to_do(text: str, action: Action, tmp_path: Path) -> None:
    lines = kernel(f"[9.0] NVRM: Xid (PCI:0000:83:00): {text}\n")
    finding = scene.judged(tmp_path, "gpu-xid-clean", {KernelLogFact(): lines}).finding
    assert finding.outcome is FAIL and f"do: {action}" in finding.because


def test_a_wish_that_the_driver_took_back_is_no_failure(tmp_path: Path) -> None:
    lines = kernel(
        "[9.0] NVRM: Xid (PCI:0000:83:00): 154, GPU recovery action changed from 0x1 (GPU Reset) to 0x0 (None)\n"
    )
    assert scene.judged(tmp_path, "gpu-xid-clean", {KernelLogFact(): lines}).finding.outcome is PASS


@pytest.mark.parametrize(
    ("gpu", "name", "mib", "right"),
    [
        ("a100-80gb", "NVIDIA A100-SXM4-80GB", 81920, True),
        ("a100-80gb", "NVIDIA A100 80GB PCIe", 81920, True),
        ("a100-80gb", "NVIDIA A100-SXM4-40GB", 40960, False),
        ("h100-80gb", "NVIDIA H100 80GB HBM3", 81559, True),
        ("h100-80gb", "NVIDIA H100 NVL", 95830, False),
        ("h200", "NVIDIA H200", 143771, True),
        ("h20", "NVIDIA H200", 143771, False),
        ("a40", "NVIDIA A40", 46068, True),
        ("a40", "NVIDIA RTX A4000", 16376, False),
        ("rtx-4090", "NVIDIA GeForce RTX 4090", 24564, True),
        ("rtx-4090", "NVIDIA GeForce RTX 4090 D", 24564, False),
        ("rtx-4090", "NVIDIA GeForce RTX 4090 Laptop GPU", 24564, False),
        ("rtx-5090", "NVIDIA GeForce RTX 5090", 32607, True),
        ("b200", "NVIDIA B200", 183359, True),
        ("rtx-pro-6000", "NVIDIA RTX PRO 6000 Blackwell Server Edition", 97887, True),
    ],
)
def test_names_and_sizes_tell_the_models_apart(gpu: str, name: str, mib: int, right: bool, tmp_path: Path) -> None:
    listed = rows("h200-gpu.csv").replace("NVIDIA H200", name).replace("143771 MiB", f"{mib} MiB")
    finding = scene.judged(tmp_path, "gpus-as-ordered", {GpuFact(): listed}, scene.inventory(gpu)).finding
    assert finding.outcome is (PASS if right else FAIL), finding


def test_a_card_without_nvlink_or_ecc_is_judged_on_what_it_has(tmp_path: Path) -> None:
    ordered = scene.inventory("rtx-4090")
    listed = rows("h200-gpu.csv").replace("NVIDIA H200", "NVIDIA GeForce RTX 4090")
    changes = {
        GpuFact(): listed,
        GpuTopologyFact(): smi("rtx4090x8-topo.txt"),
        GpuEccFact(): rows("rtx2080-ecc.csv"),
        GpuRowsFact(): rows("rtx-pro-remapped-rows.csv").replace("No, No", "[N/A], [N/A]"),
    }
    assert scene.judged(tmp_path / "a", "gpu-interconnect", changes, ordered).finding.outcome is PASS
    finding = scene.judged(tmp_path / "b", "gpu-memory-errors", changes, ordered).finding
    assert finding.outcome is PASS
    assert {p.outcome for p in finding.parts if "ECC" in p.name or "rows" in p.name} == {SKIP}


def test_a_floor_is_for_eight_cards_of_a_kind_that_somebody_measured(tmp_path: Path) -> None:
    four = scene.inventory("h200", 4)
    changes = {AllReduceFact(4, scene.MIB): scene.REDUCED}
    finding = scene.judged(tmp_path / "a", "nccl-all-reduce", changes, four).finding
    assert finding.outcome is UNKNOWN and "no floor from a named source for 4x h200" in finding.because
    assert scene.judged(tmp_path / "b", "nccl-all-reduce", {}, scene.inventory("h200", 1)).finding.outcome is SKIP


def test_the_guides_driver_is_enough_for_an_engine_of_its_time(tmp_path: Path) -> None:
    ordered = scene.inventory()
    old = ordered.model_copy(update={"engine": ordered.engine.model_copy(update={"version": "0.18.1"})})
    changes = {
        GpuDriverFact(): driver("535.247.01", "535.247.01"),
        DriverCudaFact(): report().replace(": 13.0", ": 12.2"),
    }
    assert scene.judged(tmp_path / "a", "gpu-driver-minimum", changes, old).finding.outcome is PASS
    assert scene.judged(tmp_path / "b", "cuda-minimum", changes, old).finding.outcome is PASS
    found = scene.judged(tmp_path / "c", "gpu-driver-minimum", changes, ordered).finding
    assert found.outcome is FAIL and any("too old for this engine" in note for note in found.notes)


@pytest.mark.parametrize(
    ("branch", "package", "outcome"),
    [
        ("570", "cuda-compat-13-0\t580.95.05-1\tii ", PASS),
        ("570", "cuda-compat-12-8\t570.1-1\tii ", FAIL),
        ("570", "cuda-compat-13-0\t580.95.05-1\tiU ", FAIL),
        ("570", None, UNKNOWN),
    ],
)
def test_an_older_driver_that_is_declared_needs_its_libraries(
    branch: str, package: str | None, outcome: Outcome, tmp_path: Path
) -> None:
    """Data-centre cards may run a newer CUDA on driver 570 by NVIDIA's forward-compatibility libraries."""
    ordered = scene.inventory(stack={"driver": {"branch": int(branch)}})
    fact = SystemPackageFact(scene.FORWARD)
    changes = {
        GpuDriverFact(): driver(f"{branch}.211.01", f"{branch}.211.01"),
        DriverCudaFact(): report().replace(": 13.0", ": 12.8"),
        fact: f"@@ packages\n{package}\n@@ end\n" if package else failed(fact, "dpkg is locked"),
    }
    assert scene.judged(tmp_path / "a", "cuda-minimum", changes, ordered).finding.outcome is outcome
    assert scene.judged(tmp_path / "b", "gpu-driver-minimum", changes, ordered).finding.outcome is PASS


def test_a_driver_other_than_the_declared_one_fails(tmp_path: Path) -> None:
    ordered = scene.inventory(stack={"driver": {"version": "580.159.03"}})
    finding = scene.judged(tmp_path, "gpu-driver-minimum", {}, ordered).finding
    assert finding.outcome is FAIL and "as declared" in finding.because


@pytest.mark.parametrize(("by", "way"), [("cdi", "--device nvidia.com/gpu=all"), ("runtime", "--gpus all")])
def test_a_declared_image_is_tried_in_the_declared_way(by: str, way: str, tmp_path: Path) -> None:
    image = f"ubuntu@sha256:{'0' * 64}"
    ordered = scene.inventory(stack={"containers": {"gpus_by": by, "probe_image": image}})
    fact = ContainerGpusFact(image, by)
    assert way in fact.command and image in fact.command and fact.command.count("docker run") == 1
    missing = f"@@ image {image}\ndocker: Error response from daemon: No such image: {image}\n@@ exit 125\n"
    assert scene.judged(tmp_path, "driver-in-container", {fact: missing}, ordered).finding.outcome is UNKNOWN
