"""The driver, its modules and libraries, the container runtime, and the kernel's log."""

import pytest

from tasks.facts.base import NotUnderstood
from tasks.facts.container_toolkit import ContainerToolkitFact
from tasks.facts.cuda_toolkit import CudaToolkit, CudaToolkitFact
from tasks.facts.dcgm import DcgmFact
from tasks.facts.docker_engine import DockerEngineFact
from tasks.facts.fabric_manager import FabricManagerFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.facts.kernel_log import KernelLogFact
from tasks.facts.kernel_modules import KernelModuleFact
from tasks.facts.library_headers import LibraryHeader, LibraryHeaderFact
from tasks.facts.nouveau import NouveauFact
from tasks.facts.nvidia_pci import NvidiaPciFact
from tasks.facts.reading import Reading
from tasks.facts.secure_boot import MachineOwnerKeyFact, SecureBootFact
from tests.recorded.host_facts import BOOTED, KERNELS, NCCL, PCI, here, kernel, log, smi

MODULE = f"@@ module\n{log('proc-version-580.txt')}"


def test_a_driver_that_agrees_with_itself() -> None:
    driver = GpuDriverFact().parse(MODULE + "@@ library\n580.173.02\n580.173.02\n")
    assert (driver.module, driver.open_module, driver.library) == ("580.173.02", False, Reading("580.173.02"))
    assert driver.agree


def test_a_driver_that_was_updated_without_reboot() -> None:
    driver = GpuDriverFact().parse(f"{MODULE}@@ library\n{log('nvml-mismatch-580.txt')}")
    assert driver.library.value is None and not driver.agree
    assert driver.library.why_not.startswith("Failed to initialize NVML: Driver/library version mismatch; NVML library")


def test_the_open_module_and_none_at_all() -> None:
    loading = log("dmesg-off-the-bus-570.txt").splitlines()[-1]
    text = "NVRM version: " + loading.partition("loading ")[2]
    driver = GpuDriverFact().parse(f"@@ module\n{text}\n@@ library\n570.158.01\n")
    assert driver.open_module is True and driver.agree
    absent = GpuDriverFact().parse(here("gpu-driver-absent.txt"))
    assert (absent.module, absent.library.value, absent.agree) == (None, None, False)
    half = GpuDriverFact().parse("@@ module\nabsent\n@@ library\n580.173.02\n")
    assert half.library.value == "580.173.02" and not half.agree


def test_two_versions_of_the_library_are_no_version() -> None:
    assert GpuDriverFact().parse(MODULE + "@@ library\n580.173.02\n580.95.05\n").library.value is None


def test_kernel_modules() -> None:
    now, then = KernelModuleFact().parse(KERNELS)
    assert (now.kernel, now.running, now.nvidia, now.license) == ("6.8.0-45-generic", True, "580.95.05", "Dual MIT/GPL")
    assert then.bootable and not then.has_headers and then.nvidia is None and then.signer is None
    assert KernelModuleFact().parse("@@ kernels\n@@ end\n") == ()
    with pytest.raises(NotUnderstood):
        KernelModuleFact().parse(KERNELS.replace("@@ end\n", ""))


def test_nouveau() -> None:
    text = "loaded=yes\nblacklisted=no\ncommand_line=no\ninitramfs="
    assert NouveauFact().parse(text + "yes").in_initramfs == Reading(True)
    unread = NouveauFact().parse(text + "may not read /boot/initrd.img-6.8.0")
    assert unread.loaded and unread.in_initramfs == Reading(None, "may not read /boot/initrd.img-6.8.0")
    with pytest.raises(NotUnderstood):
        NouveauFact().parse(text + "maybe")
    assert NouveauFact.needs_root


@pytest.mark.parametrize(
    ("said", "efi", "enforced"),
    [
        (log("mokutil-enabled.txt"), True, True),
        (log("mokutil-setup-mode.txt"), True, False),
        (log("mokutil-no-efi.txt"), False, False),
        ("no-efi\n", False, False),
        ("SecureBoot enabled\nSecureBoot validation is disabled in shim\n", True, False),
        ("SecureBoot enabled\nPlatform is in Setup Mode\n", True, False),
    ],
)
def test_secure_boot(said: str, efi: bool, enforced: bool) -> None:
    state = SecureBootFact().parse("@@ state\n" + said)
    assert (state.efi, state.enforced) == (efi, enforced)


def test_an_unknown_state_of_secure_boot_is_not_off() -> None:
    for said in ("Failed to read SecureBoot\n", "SecureBoot enabled\nsomething new\n", ""):
        with pytest.raises(NotUnderstood):
            SecureBootFact().parse("@@ state\n" + said)


def test_machine_owner_keys() -> None:
    (key,) = MachineOwnerKeyFact().parse("@@ keys\n" + log("mokutil-enrolled.txt"))
    assert key.sha1.startswith("76:a0:92:06") and key.subject.endswith("CN=Canonical Ltd. Master Certificate Authority")
    assert MachineOwnerKeyFact().parse("@@ keys\nMokListRT is empty\n") == ()
    with pytest.raises(NotUnderstood):
        MachineOwnerKeyFact().parse("@@ keys\n" + log("mokutil-enrolled.txt").replace("Subject: ", "Object: "))


def test_cuda_toolkits() -> None:
    found = CudaToolkitFact().parse(here("cuda-toolkit.txt"))
    assert CudaToolkit("/usr/local/cuda-13.0", "13.0.88", None) in found
    text = '@@ toolkits\nfolder /usr/local/cuda-12.4\njson {"cuda": {"name": "CUDA SDK", "version": "12.4.1"}}\n@@ end'
    assert CudaToolkitFact().parse(text) == (CudaToolkit("/usr/local/cuda-12.4", None, "12.4.1"),)
    assert CudaToolkitFact().parse("@@ toolkits\n@@ end\n") == ()


def test_library_headers() -> None:
    assert LibraryHeaderFact("NCCL").parse(NCCL) == (LibraryHeader("/usr/include/nccl.h", "2.27.7"),)
    cudnn = NCCL.replace("NCCL_PATCH", "NCCL_PATCHLEVEL").replace("NCCL", "CUDNN")
    assert LibraryHeaderFact("CUDNN").parse(cudnn)[0].version == "2.27.7"
    with pytest.raises(NotUnderstood):
        LibraryHeaderFact("NCCL").parse("\n".join(NCCL.splitlines()[:3]))  # no patch level


def test_versions_of_the_services() -> None:
    assert FabricManagerFact().parse("@@ version\n" + log("nv-fabricmanager-580.159.03.txt")) == "580.159.03"
    assert FabricManagerFact().parse("@@ version\nabsent\n") is None
    assert DcgmFact().parse("@@ version\n" + log("dcgmi-4.7.0.txt")) == "4.7.0"
    assert DcgmFact().parse("@@ version\nabsent\n") is None


def test_container_toolkit() -> None:
    version = log("nvidia-ctk-1.12.0.txt")
    daemon = '{"default-runtime": "nvidia", "runtimes": {"nvidia": {}}, "features": {"cdi": true}}\n'
    toolkit = ContainerToolkitFact().parse(f"@@ version\n{version}@@ daemon\n{daemon}\n@@ cdi\n/etc/cdi/nvidia.yaml\n")
    assert (toolkit.version, toolkit.runtimes, toolkit.default_runtime) == ("1.12.0", ("nvidia",), "nvidia")
    assert toolkit.cdi_enabled is True and toolkit.cdi_specs == ("/etc/cdi/nvidia.yaml",)
    absent = ContainerToolkitFact().parse(here("container-toolkit-absent.txt"))
    assert (absent.version, absent.runtimes, absent.cdi_enabled) == (None, (), None)
    for broken in ("{", "[]", '{"runtimes": 3}', '{"features": {"cdi": "yes"}}', '{"default-runtime": 3}'):
        with pytest.raises(NotUnderstood):
            ContainerToolkitFact().parse(f"@@ version\nabsent\n@@ daemon\n{broken}\n@@ cdi\n")


def test_docker_engine() -> None:
    engine = DockerEngineFact().parse(here("docker-engine.txt"))
    assert (engine.client, engine.server.value) == ("28.2.2", "20.10.24+dfsg1")
    assert engine.compose.value is None and engine.compose.why_not.startswith("unknown flag: --short")
    assert engine.runtimes.value is not None and "runc" in engine.runtimes.value
    refused = "failed\npermission denied while trying to connect to the Docker daemon socket\n"
    text = f"@@ client\n28.2.2\n@@ server\n{refused}@@ compose\nok\n2.36.2\n@@ runtimes\n{refused}"
    closed = DockerEngineFact().parse(text)
    assert closed.compose.value == "2.36.2" and closed.runtimes.value is None
    assert closed.server.why_not.startswith("permission denied")


def test_xids_of_dmesg() -> None:
    found = KernelLogFact().parse(kernel(log("dmesg-xid-31-62-45.txt")))
    assert found.source == "dmesg" and found.whole and found.lost_gpus == ()
    assert [xid.code for xid in found.xids] == [31, 62, 45]
    first, second, _ = found.xids
    assert (first.bus, first.pid, first.process, first.stamp) == (
        "0000:0a:00",
        13332,
        "cuda_plot_k32_v",
        "[14328.198504]",
    )
    assert first.text.startswith("Ch 00000010") and (second.pid, second.process) == (None, None)


def test_xids_of_the_journal() -> None:
    start = "Aug 10 09:00:00 gpu-node-a kernel: Linux version 6.8.0-45-generic\n"
    found = KernelLogFact().parse(kernel(log("journal-xid-48-63-154.txt"), "journal", start=start))
    assert found.whole and [xid.code for xid in found.xids] == [48, 171, 48, 63, 154]
    assert found.xids[0].pid is None and found.xids[2].process == "python"
    assert found.xids[4].text == "GPU recovery action changed from 0x0 (None) to 0x4 (Drain and Reset)"


def test_a_gpu_off_the_bus_without_an_xid() -> None:
    found = KernelLogFact().parse(kernel(log("dmesg-off-the-bus-570.txt")))
    assert found.xids == () and len(found.lost_gpus) == 1


@pytest.mark.parametrize(
    ("start", "rest"),
    [
        ("[ 1843.308145] NVRM: loading NVIDIA UNIX\n", ""),  # the ring buffer has wrapped
        ("Nov 02 10:00:00 host kernel: usb 1-1: new device\n", ""),  # the journal has been trimmed
        (BOOTED, "Nov 02 10:00:00 host systemd-journald[1]: Missed 12 kernel messages\n"),
    ],
)
def test_a_log_with_a_gap_is_no_proof(start: str, rest: str) -> None:
    found = KernelLogFact().parse(kernel(rest, start=start))
    assert found.xids == () and not found.whole


def test_an_xid_in_other_words_is_not_passed_over() -> None:
    with pytest.raises(NotUnderstood):
        KernelLogFact().parse(kernel("[1.0] NVRM: Xid 31 MMU Fault: ENGINE GRAPHICS\n"))
    assert KernelLogFact.needs_root


def test_a_recorded_version_is_the_librarys() -> None:
    assert (
        GpuDriverFact().parse(f"@@ module\nabsent\n@@ library\n{smi('h200-version.txt')}").library.value == "580.173.02"
    )


def test_devices_on_the_pci_bus() -> None:
    gpu, switch = NvidiaPciFact().parse(PCI)
    assert gpu.is_gpu and gpu.driver == "nvidia" and gpu.device == "0x2335"
    assert switch.is_nvswitch and not switch.is_gpu and switch.driver is None
    assert NvidiaPciFact().parse("@@ devices\n@@ end\n") == ()
