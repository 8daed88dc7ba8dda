"""One good output for every fact about a host: recorded where that was possible, else worded as the tool words it."""

from pathlib import Path
from typing import Any

from tasks.facts.all_reduce import AllReduceFact
from tasks.facts.base import Fact
from tasks.facts.block_devices import BlockDeviceFact
from tasks.facts.boot import BootFact
from tasks.facts.clock import ClockSyncFact, HostTimeFact
from tasks.facts.compiler import CompilerFact
from tasks.facts.container_gpus import ContainerGpusFact
from tasks.facts.container_toolkit import ContainerToolkitFact
from tasks.facts.cuda_toolkit import CudaToolkitFact
from tasks.facts.dcgm import DcgmFact
from tasks.facts.dcgm_diagnostics import DcgmDiagnosticsFact
from tasks.facts.disk_read import DiskReadFact, FioReadFact
from tasks.facts.docker_engine import DockerEngineFact
from tasks.facts.egress import EgressFact
from tasks.facts.fabric_manager import FabricManagerFact
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
from tasks.facts.gpu_throttle import GpuThrottleFact, GpuThrottleTotalsFact
from tasks.facts.gpu_topology import GpuTopologyFact
from tasks.facts.kernel_log import KernelLogFact
from tasks.facts.kernel_modules import KernelModuleFact
from tasks.facts.largest_file import LargestFileFact
from tasks.facts.library_headers import LibraryHeaderFact
from tasks.facts.listening_ports import ListeningPortFact
from tasks.facts.memory import MemoryFact, MemoryLimitFact
from tasks.facts.mig import MigFact
from tasks.facts.mounts import MountOfFact, MountsFact
from tasks.facts.needrestart import NeedrestartFact
from tasks.facts.network_interfaces import NetworkInterfaceFact
from tasks.facts.nouveau import NouveauFact
from tasks.facts.nvidia_pci import NvidiaPciFact
from tasks.facts.nvlink import NvLinkFact
from tasks.facts.operating_system import OperatingSystemFact
from tasks.facts.package_faults import HeldPackageFact, PackageAuditFact
from tasks.facts.package_locks import PackageLockFact
from tasks.facts.process_limits import ProcessLimitsFact
from tasks.facts.processor import ProcessorFact
from tasks.facts.proxies import ProxyFact
from tasks.facts.secure_boot import MachineOwnerKeyFact, SecureBootFact
from tasks.facts.shared_memory import SharedMemoryFact
from tasks.facts.simulated import SimulatedFact
from tasks.facts.sudo_mode import SudoModeFact
from tasks.facts.system_packages import SystemPackageFact
from tasks.facts.systemd_units import SystemdUnitFact

HERE = Path(__file__).parent
BOOTED = "[    0.000000] Linux version 6.8.0-45-generic (buildd@lcy02) #45-Ubuntu SMP\n"


def smi(name: str) -> str:
    """What nvidia-smi printed."""
    return (HERE / "nvidia-smi" / name).read_text(encoding="utf-8")


def log(name: str) -> str:
    """An output that someone published."""
    return (HERE / "public-logs" / name).read_text(encoding="utf-8")


def here(name: str) -> str:
    """What a fact printed on a Debian host."""
    return (HERE / "debian-12-facts" / name).read_text(encoding="utf-8")


def kernel(text: str, source: str = "dmesg", *, start: str = BOOTED) -> str:
    """A published log as KernelLogFact prints it."""
    return f"@@ {source}\n{start}{text}@@ end\n"


UNIT = (
    "Id=nvidia-fabricmanager.service\nLoadState=loaded\nActiveState=active\nSubState=running\n"
    "UnitFileState=enabled\nResult=success\n"
)
NO_UNIT = "Id=nope.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nResult=success\n"
KERNELS = (
    "@@ kernels\n6.8.0-45-generic|yes|yes|yes|580.95.05|Dual MIT/GPL|DKMS module signing key\n"
    "6.8.0-47-generic|no|yes|no|-|-|-\n@@ end\n"
)
NCCL = "@@ headers\n" + "".join(
    f"/usr/include/nccl.h #define NCCL_{name} {number}\n"
    for name, number in (("MAJOR", 2), ("MINOR", 27), ("PATCH", 7))
)
PCI = "@@ devices\n0000:83:00.0 0x2335 0x030200 nvidia\n0000:07:00.0 0x22a3 0x068000 -\n@@ end\n"
FIO = '{"fio version": "fio-3.33", "jobs": [{"error": 0, "read": {"io_bytes": 10485760000, "runtime": 5000}}]}'

REDUCED = (  # as users of nccl-tests publish it, eight H100
    "  2147483648     536870912     float     sum      -1   7983.5  268.99  470.73      0   7985.2  268.93  470.63"
    "      0\n# Out of bounds values : 0 OK\n# Avg bus bandwidth    : 448.212\n"
)
DIAGNOSED = (
    '{"DCGM Diagnostic": {"test_categories": [{"category": "Deployment", "tests": [{"name": "software", "results": '
    '[{"entity_group": "GPU", "entity_id": 0, "status": "Pass"}]}]}]}}'
)

SAMPLES: list[tuple[Fact[Any], str]] = [
    (AllReduceFact(8), REDUCED),
    (CompilerFact("/usr/bin/python3"), "g++=yes\npython=3.11 headers=yes\n"),
    (ContainerGpusFact(), f"@@ image 3f2a\nGPU 0: NVIDIA H200 (UUID: GPU-{'0' * 8})\n@@ exit 0\n"),
    (DcgmDiagnosticsFact(1), DIAGNOSED),
    (DriverCudaFact(), smi("h200-q.txt")),
    (FolderSizeFact(("/data",)), "bytes=594100000000\n"),
    (LargestFileFact("/data", 64), "@@ file\n4215803904 /data/model-00001.safetensors\n"),
    (SimulatedFact(), "@@ simulated\nGPUs: 8x h100-80gb, scripted\n"),
    (BlockDeviceFact(), here("block-devices.txt")),
    (BootFact(), here("boot.txt")),
    (ClockSyncFact(), "@@ chrony\n" + log("chrony-tracking.txt")),
    (HostTimeFact(), here("host-time.txt")),
    (
        ContainerToolkitFact(),
        f"@@ version\n{log('nvidia-ctk-1.12.0.txt')}@@ daemon\n"
        '{"runtimes": {"nvidia": {"args": [], "path": "nvidia-container-runtime"}}}\n\n@@ cdi\n/etc/cdi/nvidia.yaml\n',
    ),
    (CudaToolkitFact(), here("cuda-toolkit.txt")),
    (DcgmFact(), "@@ version\n" + log("dcgmi-4.7.0.txt")),
    (DiskReadFact("/data/file", 32), here("disk-read.txt")),
    (FioReadFact("/data/file", 5), FIO),
    (DockerEngineFact(), here("docker-engine.txt")),
    (EgressFact("http://127.0.0.1:9/", 3), here("egress-refused.txt")),
    (FabricManagerFact(), "@@ version\n" + log("nv-fabricmanager-580.159.03.txt")),
    (GpuFact(), smi("h200-gpu.csv")),
    (GpuDriverFact(), f"@@ module\n{log('proc-version-580.txt')}@@ library\n{smi('h200-version.txt')}"),
    (GpuEccFact(), smi("h200-ecc.csv")),
    (GpuRowsFact(), smi("rtx-pro-remapped-rows.csv")),
    (GpuFabricFact(), smi("h200-q.txt")),
    (GpuPcieFact(), smi("h200-pcie.csv")),
    (GpuPowerFact(), smi("h200-power.csv")),
    (GpuProcessFact(), smi("h200-processes.csv")),
    (GpuRecoveryFact(), smi("h200-recovery.csv")),
    (GpuThrottleFact(), smi("h200-throttle.csv")),
    (GpuThrottleTotalsFact(), smi("rtx2080-throttle-totals.csv")),
    (GpuTopologyFact(), smi("a100x8-topo.txt")),
    (KernelLogFact(), kernel(log("dmesg-xid-31-62-45.txt"))),
    (KernelModuleFact(), KERNELS),
    (LibraryHeaderFact("NCCL"), NCCL),
    (ListeningPortFact(), here("listening-ports.txt")),
    (MemoryFact(), here("meminfo.txt")),
    (MemoryLimitFact(), here("memory-limit.txt")),
    (MigFact(), smi("a100-mig.txt")),
    (MountsFact(), "".join(here("mount-of-root.txt").splitlines(keepends=True)[1:3])),
    (MountOfFact("/"), here("mount-of-root.txt")),
    (NeedrestartFact(), "@@ installed\nyes\n@@ modes\n$nrconf{restart} = 'a';\n"),
    (NetworkInterfaceFact(), here("network-interfaces.txt")),
    (NouveauFact(), "loaded=no\nblacklisted=yes\ncommand_line=no\ninitramfs=no\n"),
    (NvidiaPciFact(), PCI),
    (NvLinkFact(), smi("h200-nvlink.txt")),
    (OperatingSystemFact(), here("operating-system.txt")),
    (HeldPackageFact(), "@@ held\nnvidia-driver-580-server\n@@ end\n"),
    (PackageAuditFact(), here("package-faults-half.txt")),
    (PackageLockFact(), "@@ locks\n/var/lib/dpkg/lock-frontend|4711|unattended-upgr\n@@ end\n"),
    (ProcessLimitsFact(), here("process-limits.txt")),
    (ProcessorFact(), here("processor.txt")),
    (
        ProxyFact(),
        "@@ session\nhttps_proxy=***@10.0.0.1:3128\n@@ environment\n@@ apt\n"
        'Acquire::http::Proxy "http://10.0.0.1:3128";\n@@ dnf\n@@ docker\n@@ end\n',
    ),
    (SecureBootFact(), "@@ state\n" + log("mokutil-enabled.txt")),
    (MachineOwnerKeyFact(), "@@ keys\n" + log("mokutil-enrolled.txt")),
    (SharedMemoryFact(), here("shared-memory.txt")),
    (SudoModeFact(), here("sudo-root.txt")),
    (SystemPackageFact(("libc6", "dpkg", "libnccl*")), here("system-packages.txt")),
    (SystemdUnitFact(("nvidia-fabricmanager.service", "nope.service")), f"{UNIT}\n{NO_UNIT}"),
]
