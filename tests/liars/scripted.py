"""A host with eight H200 whose hardware is scripted, from recorded outputs, and lies in one thing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assumptions._core import Finding, Outcome, Stage
from assumptions.cudnn_minimum import PACKAGES as CUDNN
from assumptions.nccl_all_reduce import MIB
from assumptions.storage_read_speed import FIO_SECONDS
from flows.drill_pairs import Healthy, Look, Pair
from tasks.facts.all_reduce import AllReduceFact
from tasks.facts.clock import HostTimeFact
from tasks.facts.container_gpus import ContainerGpusFact
from tasks.facts.dcgm_diagnostics import DcgmDiagnosticsFact
from tasks.facts.disk_read import FioReadFact
from tasks.facts.fabric_manager import UNIT, FabricManagerFact
from tasks.facts.gpu import GpuFact
from tasks.facts.gpu_cuda import DriverCudaFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.facts.gpu_ecc import GpuEccFact, GpuRowsFact
from tasks.facts.gpu_fabric import GpuFabricFact
from tasks.facts.gpu_pcie import GpuPcieFact
from tasks.facts.gpu_power import GpuPowerFact
from tasks.facts.gpu_recovery import GpuRecoveryFact
from tasks.facts.gpu_throttle import GpuThrottleFact
from tasks.facts.gpu_topology import GpuTopologyFact
from tasks.facts.kernel_log import KernelLogFact
from tasks.facts.kernel_modules import KernelModuleFact
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
from tests.recorded.host_facts import DIAGNOSED, FIO, REDUCED, kernel, log
from tests.recorded.host_facts import UNIT as RUNNING

FAIL, UNKNOWN = frozenset({Outcome.FAIL}), frozenset({Outcome.UNKNOWN})
GONE = "No devices were found"
MODELS = MountOfFact(f"{scene.ROOT}/models")
REDUCE = AllReduceFact(scene.GPUS, MIB)
OLD_NCCL = (
    "@@ headers\n/usr/include/nccl.h #define NCCL_MAJOR 2\n/usr/include/nccl.h #define NCCL_MINOR 17\n"
    "/usr/include/nccl.h #define NCCL_PATCH 1\n"
)
Told = dict[Any, Any]


def one(name: str, old: str, new: str, row: int = 3) -> str:
    """A recorded table in which one card says something else."""
    lines = rows(name).splitlines(keepends=True)
    if old not in lines[row]:
        raise ValueError(f"{name}: {old!r} is not in {lines[row]!r}")
    lines[row] = lines[row].replace(old, new)
    return "".join(lines)


def driver(module: str, library: str) -> str:
    """What module and library say of their version."""
    return scene.LOADED.replace("580.173.02", module) + f"@@ library\n{library}\n"


def fabric_in_progress() -> str:
    """The last card's fabric never came up."""
    head, _, last = report().rpartition("    Fabric\n")
    return f"{head}    Fabric\n" + last.replace(": Completed", ": In Progress").replace(": Success", ": N/A")


def lies() -> list[tuple[str, str, Told, dict[str, frozenset[Outcome]]]]:
    """Name, sentence, what is told instead, and the claims that should see it."""
    return [
        (
            "gpu-missing",
            "nvidia-smi lists seven cards",
            {GpuFact(): rows("h200-gpu.csv", 7)},
            {"gpus-as-ordered": FAIL},
        ),
        (
            "other-gpu",
            "one card is an H100",
            {GpuFact(): one("h200-gpu.csv", "NVIDIA H200", "NVIDIA H100 80GB HBM3")},
            {"gpus-as-ordered": FAIL},
        ),
        (
            "less-gpu-memory",
            "one card has two thirds of its memory",
            {GpuFact(): one("h200-gpu.csv", "143771 MiB", "97871 MiB")},
            {"gpus-as-ordered": FAIL},
        ),
        (
            "gpu-memory-untold",
            "one card does not tell its memory",
            {GpuFact(): one("h200-gpu.csv", "143771 MiB", "[N/A]")},
            {"gpus-as-ordered": UNKNOWN},
        ),
        (
            "mig-on",
            "one card is cut into slices",
            {GpuFact(): one("h200-gpu.csv", "Enabled, Disabled", "Enabled, Enabled")},
            {"gpus-as-ordered": FAIL},
        ),
        (
            "gpu-unlisted",
            "a ninth card on the bus is hidden by the driver",
            {NvidiaPciFact(): scene.pci(9)},
            {"gpus-as-ordered": FAIL},
        ),
        (
            "smi-gone",
            "nvidia-smi finds no device",
            {fact: failed(fact, GONE, 255) for fact in (GpuFact(), GpuPowerFact(), GpuRecoveryFact(), NvLinkFact())},
            {
                "gpus-as-ordered": UNKNOWN,
                "gpu-throttling": UNKNOWN,
                "gpu-memory-errors": UNKNOWN,
                "gpu-interconnect": UNKNOWN,
            },
        ),
        (
            "old-driver",
            "the driver is of an older branch",
            {GpuDriverFact(): driver("570.211.01", "570.211.01")},
            {"gpu-driver-minimum": FAIL},
        ),
        (
            "other-library",
            "nvidia-smi is newer than the kernel's module",
            {GpuDriverFact(): driver("580.173.02", "580.178.01")},
            {"gpu-driver-minimum": FAIL},
        ),
        (
            "no-module",
            "the kernel has no driver",
            {GpuDriverFact(): "@@ module\nabsent\n@@ library\nnvidia-smi: not found\n"},
            {"gpu-driver-minimum": FAIL},
        ),
        (
            "driver-unread",
            "the driver's version can't be read",
            {GpuDriverFact(): failed(GpuDriverFact(), "Permission denied")},
            {"gpu-driver-minimum": UNKNOWN},
        ),
        (
            "old-cuda",
            "the driver serves CUDA 12.8 at most",
            {DriverCudaFact(): report().replace(": 13.0", ": 12.8")},
            {"cuda-minimum": FAIL},
        ),
        (
            "old-cudnn",
            "cuDNN 8.8.1 is installed",
            {SystemPackageFact(CUDNN): "@@ packages\nlibcudnn8\t8.8.1.3-1+cuda12.0\tii \n@@ end\n"},
            {"cudnn-minimum": FAIL},
        ),
        ("old-nccl", "NCCL 2.17 is installed", {LibraryHeaderFact("NCCL"): OLD_NCCL}, {"nccl-minimum": FAIL}),
        (
            "no-nvlink",
            "the cards meet over the processors",
            {GpuTopologyFact(): scene.topology("SYS")},
            {"gpu-interconnect": FAIL},
        ),
        (
            "four-lanes",
            "one card has 4 of 16 lanes",
            {GpuPcieFact(): one("h200-pcie.csv", "16, 16", "4, 16")},
            {"gpu-interconnect": FAIL},
        ),
        (
            "fabric-in-progress",
            "one card's fabric never came up",
            {GpuFabricFact(): fabric_in_progress()},
            {"gpu-fabric-healthy": FAIL},
        ),
        (
            "other-fabric-manager",
            "the fabric manager is of another version than the driver",
            {FabricManagerFact(): "@@ version\nFabric Manager version is : 580.95.05\n"},
            {"gpu-fabric-healthy": FAIL},
        ),
        (
            "fabric-manager-failed",
            "the fabric manager's unit has failed",
            {SystemdUnitFact((UNIT,)): RUNNING.replace("ActiveState=active", "ActiveState=failed")},
            {"gpu-fabric-healthy": FAIL},
        ),
        (
            "ecc-errors",
            "one card has two uncorrected errors",
            {GpuEccFact(): one("h200-ecc.csv", "0, 0, 0, 0", "0, 2, 0, 2")},
            {"gpu-memory-errors": FAIL},
        ),
        (
            "ecc-off",
            "one card's ECC is off",
            {GpuEccFact(): one("h200-ecc.csv", "Enabled, En", "Disabled, En")},
            {"gpu-memory-errors": FAIL},
        ),
        (
            "row-remap-failed",
            "one card has no spare row left",
            {GpuRowsFact(): one("rtx-pro-remapped-rows.csv", "No, No", "No, Yes")},
            {"gpu-memory-errors": FAIL},
        ),
        (
            "reboot-wanted",
            "one card asks for a reboot",
            {GpuRecoveryFact(): one("h200-recovery.csv", "None", "Reboot")},
            {"gpu-memory-errors": FAIL},
        ),
        (
            "xid-79",
            "the kernel's log says that a card has fallen off the bus",
            {KernelLogFact(): kernel(log("dmesg-off-the-bus-570.txt"))},
            {"gpu-xid-clean": FAIL},
        ),
        (
            "xid-48",
            "the kernel's log has an uncorrected error",
            {KernelLogFact(): kernel(log("journal-xid-48-63-154.txt"), "journal")},
            {"gpu-xid-clean": FAIL},
        ),
        (
            "log-forgot",
            "the kernel's log does not reach back to the boot",
            {KernelLogFact(): kernel("", start="[ 9.0] usb 1-1: new device\n")},
            {"gpu-xid-clean": UNKNOWN},
        ),
        (
            "throttled",
            "one card's clock is held down by heat",
            {GpuThrottleFact(): one("h200-throttle.csv", ", Not Active\n", ", Active\n")},
            {"gpu-throttling": FAIL},
        ),
        (
            "power-capped",
            "one card may draw 300 of 700 W",
            {GpuPowerFact(): one("h200-power.csv", "12 W, 700.00 W", "12 W, 300.00 W")},
            {"gpu-throttling": FAIL},
        ),
        (
            "no-gpu-in-container",
            "a container is not given the cards",
            {ContainerGpusFact(): "@@ image 3f2a\ndocker: could not select device driver\n@@ exit 125\n"},
            {"driver-in-container": FAIL},
        ),
        (
            "next-kernel-without-driver",
            "the kernel of the next boot has no driver",
            {KernelModuleFact(): scene.modules(scene.KERNEL, "6.8.0-47-generic|no|yes|no|-|-|-")},
            {"secure-boot": FAIL},
        ),
        (
            "secure-boot-refuses",
            "Secure Boot is on and the driver is not loaded",
            {
                SecureBootFact(): "@@ state\n" + log("mokutil-enabled.txt"),
                GpuDriverFact(): "@@ module\nabsent\n@@ library\nx\n",
            },
            {"secure-boot": FAIL, "gpu-driver-minimum": FAIL},
        ),
        (
            "diagnostics-fail",
            "DCGM's test ends in Fail",
            {DcgmDiagnosticsFact(1): DIAGNOSED.replace("Pass", "Fail")},
            {"dcgm-diagnostics": FAIL},
        ),
        (
            "slow-all-reduce",
            "eight cards exchange 43 GB/s",
            {REDUCE: REDUCED.replace("470.73", "43.10")},
            {"nccl-all-reduce": FAIL},
        ),
        (
            "wrong-sums",
            "three sums of an exchange are wrong",
            {REDUCE: REDUCED.replace("values : 0 OK", "values : 3 FAILED")},
            {"nccl-all-reduce": FAIL},
        ),
        (
            "no-nccl-tests",
            "the test is not installed",
            {REDUCE: absent(REDUCE, "all_reduce_perf")},
            {"nccl-all-reduce": UNKNOWN},
        ),
        (
            "little-ram",
            "the host has 125 GiB of memory",
            {MemoryFact(): scene.memory(125)},
            {"system-ram": FAIL, "ram-256-gb": FAIL},
        ),
        (
            "control-group",
            "a control group holds us to 64 GiB",
            {MemoryLimitFact(): "@@ limits\n/ 68719476736\n@@ kills\noom_kill 0\n"},
            {"system-ram": FAIL},
        ),
        ("few-cores", "16 cores with 32 threads", {ProcessorFact(): scene.processor(16, 32)}, {"system-cores": FAIL}),
        (
            "small-disk",
            "a disk of 0.6 TB with 0.1 TB free",
            {MODELS: scene.mount(10**11, 6 * 10**11)},
            {"storage-capacity": FAIL, "nvme-1-tb": FAIL},
        ),
        (
            "read-only-disk",
            "the disk is mounted read-only",
            {MODELS: scene.mount(3_500_000_000_000, 3_840_000_000_000, options="ro")},
            {"storage-capacity": FAIL},
        ),
        (
            "no-inodes",
            "twelve files more fit on the disk",
            {MODELS: scene.mount(3_500_000_000_000, 3_840_000_000_000, inodes=12)},
            {"storage-capacity": FAIL},
        ),
        (
            "slow-disk",
            "the disk gives 21 MB/s",
            {FioReadFact(scene.WEIGHTS, FIO_SECONDS): FIO.replace('"io_bytes": 10485760000', '"io_bytes": 104857600')},
            {"storage-read-speed": FAIL},
        ),
        (
            "slow-network",
            "the one interface has 1 Gbit/s",
            {NetworkInterfaceFact(): "eth0 mtu=1500 state=up speed=1000 device=yes\n"},
            {"network-speed": FAIL},
        ),
        (
            "speed-untold",
            "the interface does not tell its speed",
            {NetworkInterfaceFact(): "eth0 mtu=1500 state=up speed=-1 device=yes\n"},
            {"network-speed": UNKNOWN},
        ),
        (
            "other-system",
            "the host runs Arch",
            {OperatingSystemFact(): "id=arch\nlike=\nversion=\nkernel=6.18\narch=x86_64\n"},
            {"operating-system": FAIL},
        ),
        (
            "old-system",
            "the host runs Ubuntu 18.04",
            {OperatingSystemFact(): "id=ubuntu\nlike=debian\nversion=18.04\nkernel=4.15\narch=x86_64\n"},
            {"operating-system": FAIL},
        ),
        (
            "clock-skew",
            "the host's clock is a day ahead",
            {HostTimeFact(): f"{time.time() + 86400:.9f}\n"},
            {"clock-in-step": FAIL},
        ),
        (
            "clock-unread",
            "the host's clock can't be read",
            {HostTimeFact(): "1795370812.N\n"},
            {"clock-in-step": UNKNOWN},
        ),
    ]


class ScriptedGround:
    """Every lie of the table on a host that answers from recordings: nothing is shown of a real card."""

    name = "a scripted host"
    served = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pairs(self) -> Sequence[Pair]:
        return [
            Pair(name, Stage.HOST, fault, says, expected, self._look(name, told))
            for fault, says, told, claims in lies()
            for name, expected in claims.items()
        ]

    def healthy(self) -> Sequence[Healthy]:
        names = dict.fromkeys(pair.claim for pair in self.pairs())
        return [Healthy(name, Stage.HOST, self._look(name, {})) for name in names]

    def _look(self, name: str, told: Told) -> Look:
        def play() -> Finding:
            return scene.judged(self._folder, name, told).finding

        return play

    def close(self) -> None:
        """Nothing was set up."""
