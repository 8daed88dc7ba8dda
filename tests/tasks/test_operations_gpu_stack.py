"""What the operations of a GPU host make of what they see: replayed facts on a host that knows nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from inventories.stack import Driver as DriverSpec
from tasks.facts.boot import BootFact
from tasks.facts.container_toolkit import ContainerToolkitFact
from tasks.facts.fabric_manager import UNIT, FabricManagerFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.facts.gpu_fabric import GpuFabricFact
from tasks.facts.gpu_processes import GpuProcessFact
from tasks.facts.kernel_modules import KernelModuleFact
from tasks.facts.nouveau import NouveauFact
from tasks.facts.nvidia_pci import NvidiaPciFact
from tasks.facts.operating_system import OperatingSystemFact
from tasks.facts.package_faults import PackageAuditFact
from tasks.facts.package_locks import PackageLockFact
from tasks.facts.secure_boot import SecureBootFact
from tasks.facts.system_packages import SystemPackageFact
from tasks.facts.systemd_units import SystemdUnitFact
from tasks.facts.text_file import TextFile
from tasks.fake import FakeHost
from tasks.hosts import Ran, now
from tasks.operations.base import Operation, Step
from tasks.operations.containers import CDI_SPEC, NOTES, ContainerToolkit, _AsRoot
from tasks.operations.driver import Driver, GpusInUse, NoKernel, SecureBootRefuses
from tasks.operations.driver_choice import choose
from tasks.operations.fabric_manager import FabricManager, FabricNotJoined
from tasks.operations.file_content import LineInFile
from tasks.operations.holds import Holds
from tasks.operations.kernel_headers import KernelHeaders, SecureBootUnknown
from tasks.operations.nouveau_off import FILE, NouveauOff, OldInitramfsFact
from tasks.operations.package_manager import PackageManagerBusy, PackageManagerReady
from tasks.operations.packages import Packages
from tasks.operations.path_state import PathStateFact
from tasks.operations.sysctl import Sysctl, SysctlFact
from tasks.operations.systemd_service import Masked, SystemdService
from tasks.operations.user_account import AccountFact, UserAccount

K1, K2 = "6.8.0-60-generic", "6.8.0-62-generic"
V = "580.159.03"
UBUNTU = f"id=ubuntu\nlike=debian\nversion=24.04\nkernel={K1}\narch=x86_64\n"
CHOICE = choose(DriverSpec(), engine="vllm", version="0.33.0", gpu="NVIDIA H100", compute_capability=9.0)
DKMS = ("nvidia-dkms-580-server-open", "libnvidia-compute-580-server", "nvidia-compute-utils-580-server",
        "nvidia-utils-580-server")  # fmt: skip
SIGNED = (f"linux-modules-nvidia-580-server-open-{K1}", *DKMS[1:])


def loaded(version: str | None, library: str | None = None, *, is_open: bool = True) -> str:
    kind = "Open Kernel Module for x86_64" if is_open else "x86_64 Kernel Module"
    module = f"NVRM version: NVIDIA UNIX {kind}  {version}  Release Build  (x)" if version else "absent"
    said = library or version or "nvidia-smi: not found"
    return f"@@ module\n{module}\n@@ library\n{said}\n"


def kernels(*found: tuple[str, str]) -> str:
    lines = "".join(f"{k}|{'yes' if k == K1 else 'no'}|yes|yes|{v}|{'-' if v == '-' else 'MIT'}|-\n" for k, v in found)
    return f"@@ kernels\n{lines}@@ end\n"


def packages(*names: str, version: str = f"{V}-0ubuntu1", state: str = "ii") -> str:
    return "@@ packages\n" + "".join(f"{n}\t{version}\t{state} \n" for n in names) + "@@ end\n"


def gpu_host(**other: Any) -> FakeHost:
    """A bare Ubuntu host with one kernel; `other` replaces answers by the fact's name."""
    answers: dict[str, Any] = {
        "driver": loaded(None), "kernels": kernels((K1, "-")), "boot": "@@ state\nSecureBoot disabled\n",
        "nouveau": "loaded=no\nblacklisted=yes\ncommand_line=no\ninitramfs=no\n", "dkms": packages(),
        "signed": packages(), "nvidia": packages(), "os": UBUNTU,
        "processes": "gpu_uuid, pid, process_name, used_gpu_memory [MiB]\n",
    } | other  # fmt: skip
    facts: dict[str, Any] = {
        "driver": GpuDriverFact(), "kernels": KernelModuleFact(), "boot": SecureBootFact(), "nouveau": NouveauFact(),
        "dkms": SystemPackageFact(DKMS), "signed": SystemPackageFact(SIGNED),
        "nvidia": SystemPackageFact(("*nvidia*",)), "processes": GpuProcessFact(), "os": OperatingSystemFact(),
    }  # fmt: skip
    return FakeHost("box", {facts[name].command: answer for name, answer in answers.items()})


def plan(operation: Operation, host: FakeHost) -> list[Step]:
    return list(operation.plan(host))


def test_a_bare_host_gets_packages_and_a_restart_that_says_what_it_costs() -> None:
    install, restart = plan(Driver(CHOICE), gpu_host())
    assert install.command.count("nvidia-dkms-580-server-open") == 2, "once more after the lists were read anew"
    for words in ("DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=l", "DPkg::Lock::Timeout=900", "--force-confold"):
        assert words in install.command
    assert install.sudo and install.long and "CUDA 13" in install.why and "removed" in install.cannot_undo
    assert restart.reboot and restart.cannot_undo and f"modinfo -k {K1} -F version nvidia" in restart.command
    assert restart.why == "restart: no NVIDIA kernel module is loaded"


READY = {"driver": loaded(V), "kernels": kernels((K1, V))}
AS_WANTED: list[dict[str, Any]] = [
    READY,
    READY | {"driver": loaded("590.44.01"), "kernels": kernels((K1, "590.44.01"))},  # newer stays: none is declared
]


@pytest.mark.parametrize("state", AS_WANTED, ids=["as wanted", "newer"])
def test_a_driver_that_is_right_by_whatever_means_is_left_alone(state: dict[str, Any]) -> None:
    assert plan(Driver(CHOICE), gpu_host(**state)) == []


INSTALLED = {"dkms": packages(*DKMS), "kernels": kernels((K1, V))}
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("the loaded kernel module is 570.211.01", {"driver": loaded("570.211.01")}),
    ("the library says: Failed to initialize NVML", {"driver": loaded(V, "Failed to initialize NVML: Driver/library")}),
    ("the loaded kernel module is the proprietary one", {"driver": loaded(V, is_open=False)}),
    ("nouveau holds the GPUs", {"nouveau": "loaded=yes\nblacklisted=yes\ncommand_line=no\ninitramfs=no\n"}),
]


@pytest.mark.parametrize(("why", "state"), FAULTS, ids=[why for why, _ in FAULTS])
def test_with_the_packages_there_one_restart_is_what_is_missing(why: str, state: dict[str, Any]) -> None:
    (restart,) = plan(Driver(CHOICE), gpu_host(**(INSTALLED | state)))
    assert restart.reboot and why in restart.why


def test_another_declared_version_is_not_taken_for_it() -> None:
    exact = choose(
        DriverSpec(version="580.173.02"), engine="vllm", version="0.33.0", gpu="H100", compute_capability=9.0
    )
    install, restart = plan(Driver(exact), gpu_host(**(READY | INSTALLED)))
    assert "--allow-downgrades" in install.command and restart.why == f"restart: the loaded kernel module is {V}"


def test_a_kernel_without_module_gets_one_and_nothing_restarts() -> None:
    (build,) = plan(Driver(CHOICE), gpu_host(driver=loaded(V), kernels=kernels((K1, V), (K2, "-"))))
    assert build.command.endswith(f"dkms autoinstall -k {K2}") and not build.reboot


def test_held_packages_of_another_branch_are_released_first() -> None:
    older = packages("nvidia-dkms-570-server-open", state="hi")
    release, install, _ = plan(Driver(CHOICE), gpu_host(nvidia=older))
    assert release.command == "apt-mark unhold -- nvidia-dkms-570-server-open" and "install" in install.command


ENFORCED = "@@ state\nSecureBoot enabled\n"


def test_secure_boot_is_asked_before_anything_is_installed() -> None:
    with pytest.raises(SecureBootRefuses, match="Secure Boot is on"):
        plan(Driver(CHOICE, "dkms"), gpu_host(boot=ENFORCED))
    install, _ = plan(Driver(CHOICE), gpu_host(boot=ENFORCED))
    assert SIGNED[0] in install.command and "dkms" not in install.command
    command = SecureBootFact().command
    unknown = Ran("box", command, 127, "@@ state\n", "mokutil: not found", now())
    with pytest.raises(SecureBootUnknown, match="mokutil: not found"):
        plan(Driver(CHOICE), gpu_host(boot=unknown))


def test_programs_on_the_gpus_forbid_a_change_and_none_is_asked_of_a_driver_that_is_right() -> None:
    holder = "gpu_uuid, pid, process_name, used_gpu_memory [MiB]\nGPU-1, 42, python3, 70000 MiB\n"
    other = {"driver": loaded("570.211.01"), "processes": holder}
    with pytest.raises(GpusInUse, match=r"python3 \(pid 42\)"):
        plan(Driver(CHOICE), gpu_host(**other))
    assert plan(Driver(CHOICE), gpu_host(**(READY | {"processes": holder}))) == []


def test_a_host_without_kernel_is_told_apart() -> None:
    with pytest.raises(NoKernel):
        plan(Driver(CHOICE), gpu_host(kernels="@@ kernels\n@@ end\n"))


def test_headers_only_where_a_module_is_built() -> None:
    bare = f"@@ kernels\n{K1}|yes|yes|no|-|-|-\n{K2}|no|no|no|-|-|-\n@@ end\n"
    wanted = SystemPackageFact((f"linux-headers-{K1}",)).command
    answers = {KernelModuleFact().command: bare, wanted: packages(), OperatingSystemFact().command: UBUNTU}
    off = FakeHost("box", answers | {SecureBootFact().command: "@@ state\nno-efi\n"})
    (step,) = plan(KernelHeaders(), off)
    assert step.why == f"install linux-headers-{K1}", "a kernel without image in /boot needs none"
    assert plan(KernelHeaders(), FakeHost("box", answers | {SecureBootFact().command: ENFORCED})) == []
    assert plan(KernelHeaders("signed"), FakeHost("box", {})) == []


def test_the_blacklist_reaches_every_initramfs() -> None:
    right = f"regular file|644|root:root\n{hashlib.sha256(FILE.content.encode()).hexdigest()}  -\n"
    seen, old = PathStateFact(FILE.path).command, OldInitramfsFact(FILE.path).command
    image = f"@@ images\n/boot/initrd.img-{K1}\n@@ end\n"
    none = "@@ images\n@@ end\n"
    cases = [("absent\n", none, 2), (right, image, 1), (right, none, 0), ("absent\n", image, 2)]
    for file, images, steps in cases:
        found = plan(NouveauOff(), FakeHost("box", {seen: file, old: images}))
        assert len(found) == steps and (not found or found[-1].command == "update-initramfs -u -k all")


SWITCH = "@@ devices\n0000:c0:00.0 0x22a3 0x068000 nvidia\n@@ end\n"
GPU_ONLY = "@@ devices\n0000:07:00.0 0x2330 0x030200 nvidia\n@@ end\n"


def unit(name: str, active: str = "active", enabled: str = "enabled", load: str = "loaded") -> str:
    return f"Id={name}\nLoadState={load}\nActiveState={active}\nSubState=x\nUnitFileState={enabled}\nResult=success\n\n"


def fabric(state: str, status: str) -> str:
    return (
        "Attached GPUs                             : 1\nGPU 00000000:07:00.0\n    Fabric\n"
        f"        State                             : {state}\n        Status                            : {status}\n"
    )


def switched(manager: str, **other: str) -> FakeHost:
    joined = other.get("fabric", fabric("Completed", "Success"))
    return FakeHost(
        "box",
        {
            NvidiaPciFact().command: other.get("pci", SWITCH),
            GpuDriverFact().command: loaded(V),
            FabricManagerFact().command: f"@@ version\n{manager}\n",
            SystemdUnitFact((UNIT,)).command: other.get("unit", unit(UNIT)),
            OperatingSystemFact().command: UBUNTU,
            GpuFabricFact().command: joined,
        },
    )


def test_the_fabric_manager_is_exactly_of_the_drivers_version() -> None:
    assert plan(FabricManager(580), switched("absent", pci=GPU_ONLY)) == []
    assert plan(FabricManager(580), switched(f"Fabric Manager version is : {V}")) == []
    install, restart = plan(FabricManager(580), switched("Fabric Manager version is : 580.173.02"))
    assert f"'nvidia-fabricmanager-580={V}-*'" in install.command and "--allow-downgrades" in install.command
    assert restart.why == "restart the Fabric Manager"
    gone = unit(UNIT, "inactive", "", "not-found")
    steps = [step.why for step in plan(FabricManager(580), switched("absent", unit=gone))]
    assert steps == [f"install nvidia-fabricmanager-580={V}-*", f"enable {UNIT}", f"start {UNIT}"]


def test_a_gpu_outside_the_fabric_is_never_waited_for_in_vain() -> None:
    right = f"Fabric Manager version is : {V}"
    with pytest.raises(FabricNotJoined, match=r"00000000:07:00\.0: Completed, Insufficient Resources"):
        plan(FabricManager(580), switched(right, fabric=fabric("Completed", "Insufficient Resources")))
    with pytest.raises(FabricNotJoined, match="In Progress"):
        plan(FabricManager(580, settle_s=0.01), switched(right, fabric=fabric("In Progress", "N/A")))
    assert plan(FabricManager(580), switched(right, fabric=fabric("N/A", "N/A"))) == [], "an A100 prints none"


def toolkit_host(docker: str, daemon: str, spec: str, note: str) -> FakeHost:
    installed = "@@ packages\nnvidia-container-toolkit\t1.18.0-1\tii \n@@ end\n"
    engine = f"@@ client\n{docker}\n@@ server\nok\n{docker}\n@@ compose\nok\n2\n@@ runtimes\nok\n" + '{"runc": {}}\n'
    return FakeHost(
        "box",
        {
            SystemPackageFact(("nvidia-container-toolkit",)).command: installed,
            _AsRoot().command: engine,
            ContainerToolkitFact().command: "@@ version\nNVIDIA Container Toolkit CLI version 1.18.0\n"
            f"@@ daemon\n{daemon}\n@@ cdi\n{spec}\n",
            GpuDriverFact().command: loaded(V),
            TextFile(f"{NOTES}/cdi-driver").command: f"present\n{note}",
        },
    )


@pytest.mark.parametrize(
    ("docker", "daemon", "spec", "note", "steps"),
    [
        ("28.5.1", "absent", CDI_SPEC, V, []),
        ("28.5.1", "absent", "", V, ["describe"]),
        ("28.5.1", "absent", CDI_SPEC, "570.211.01", ["describe"]),
        ("27.3.1", "absent", CDI_SPEC, V, ["switch", "restart"]),
        ("27.3.1", '{"features": {"cdi": true}}', CDI_SPEC, V, []),
    ],
)
def test_containers_get_gpus_by_cdi(docker: str, daemon: str, spec: str, note: str, steps: list[str]) -> None:
    found = plan(ContainerToolkit(), toolkit_host(docker, daemon, spec, note))
    assert [step.why.split()[0] for step in found] == steps
    assert all(step.cannot_undo for step in found if step.why == "restart Docker")


def test_holds_name_what_is_loose() -> None:
    boot = f"id=1f0c2d3e-0000-0000-0000-000000000000\nat=1\nkernel={K1}\n"
    patterns = ("*nvidia*-[0-9][0-9][0-9]*", "linux-generic*", "linux-image-generic*", "linux-headers-generic*")
    found = "@@ packages\nnvidia-utils-580-server\t1\tii \nlinux-image-generic\t1\thi \nlinux-generic\t1\tii \n@@ end\n"
    host = FakeHost("box", {BootFact().command: boot, SystemPackageFact(patterns).command: found})
    (step,) = plan(Holds(), host)
    assert step.command == "apt-mark hold -- linux-generic nvidia-utils-580-server"


def test_a_lock_whose_holder_can_not_be_seen_is_not_waited_for() -> None:
    locks = "@@ locks\n/var/lib/dpkg/lock-frontend|-1|\n@@ end\n"
    host = FakeHost("box", {PackageLockFact().command: locks, PackageAuditFact().command: "@@ audit\n@@ end\n"})
    with pytest.raises(PackageManagerBusy, match="may not see"):
        plan(PackageManagerReady(), host)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("", "tree=2.1-*"),
        ("tree\t2.1-3\tii \n", None),
        ("tree\t2.1-3\tiF \n", "tree=2.1-*"),
        ("tree\t2.0-1\tii \n", "--allow-downgrades install"),
        ("tree\t2.0-1\thi \n", "--allow-downgrades --allow-change-held-packages install"),
        ("tree\t2.10-1\tii \n", "tree=2.1-*"),
    ],
)
def test_packages_at_a_version(found: str, words: str | None) -> None:
    answers = {
        SystemPackageFact(("tree",)).command: f"@@ packages\n{found}@@ end\n",
        OperatingSystemFact().command: UBUNTU,
    }
    steps = plan(Packages(("tree",), {"tree": "2.1-*"}), FakeHost("box", answers))
    assert [True for step in steps if words and words in step.command] == ([True] if words else [])
    assert len(steps) == (1 if words else 0)


@pytest.mark.parametrize(
    ("text", "instead_of", "wanted"),
    [
        ("", "", "A=1\n"),
        ("B=2\n", "", "B=2\nA=1\n"),
        ("B=2", "", "B=2\nA=1\n"),
        ("A=1\nB=2\n", "^A=", "A=1\nB=2\n"),
        ("A=0\nB=2\nA=3\n", "^A=", "A=1\nB=2\n"),
        ("#A=0\n", "^A=", "#A=0\nA=1\n"),
        ("\n\n", "", "\n\nA=1\n"),
    ],
)
def test_a_line_in_a_file(text: str, instead_of: str, wanted: str) -> None:
    line = LineInFile("/etc/x", "A=1", instead_of)
    assert line.changed(text) == wanted and line.changed(wanted) == wanted


@pytest.mark.parametrize(
    ("state", "service", "steps"),
    [
        (unit("x.service"), SystemdService("x.service"), []),
        (unit("x.service", "inactive"), SystemdService("x.service"), ["start x.service"]),
        (unit("x.service", enabled="disabled"), SystemdService("x.service"), ["enable x.service"]),
        (unit("x.service", enabled="static"), SystemdService("x.service"), []),
        (unit("x.service"), SystemdService("x.service", False, False), ["disable x.service", "stop x.service"]),
        (unit("x.service", "inactive", "", "not-found"), SystemdService("x.service", False, False), []),
    ],
)
def test_a_service(state: str, service: SystemdService, steps: list[str]) -> None:
    host = FakeHost("box", {SystemdUnitFact(("x.service",)).command: state})
    assert [step.why for step in plan(service, host)] == steps


def test_a_masked_service_is_somebodys_wish() -> None:
    host = FakeHost("box", {SystemdUnitFact(("x.service",)).command: unit("x.service", "inactive", "masked", "masked")})
    with pytest.raises(Masked):
        plan(SystemdService("x.service"), host)


@pytest.mark.parametrize(
    ("seen", "groups", "steps"),
    [
        ("@@ user\n@@ groups\nvideo\n", ("video",), ["useradd"]),
        ("@@ user\n@@ groups\n", ("video",), ["groupadd", "useradd"]),
        ("@@ user\nops:x:1:1::/home/ops:/bin/bash\nops video\n@@ groups\nvideo\n", ("video",), []),
        ("@@ user\nops:x:1:1::/home/ops:/bin/sh\nops\n@@ groups\nvideo\n", ("video",), ["usermod", "usermod"]),
        ("@@ user\nops:x:1:1::/home/ops:/bin/bash\nops sudo\n@@ groups\n", (), []),
    ],
)
def test_a_user(seen: str, groups: tuple[str, ...], steps: list[str]) -> None:
    account = UserAccount("ops", groups)
    found = plan(account, FakeHost("box", {AccountFact("ops", groups).command: seen}))
    assert [step.command.split()[0] for step in found] == steps


def test_kernel_settings_are_written_for_later_and_set_now() -> None:
    file, now_ = PathStateFact("/etc/sysctl.d/90-x.conf").command, SysctlFact(("a.b",)).command
    setting = Sysctl("x", {"a.b": "4096 8192"})
    text = hashlib.sha256(b"a.b = 4096 8192\n").hexdigest()
    right = f"regular file|644|root:root\n{text}  -\n"
    assert plan(setting, FakeHost("box", {file: right, now_: "a.b=4096\t8192\n"})) == []
    (step,) = plan(setting, FakeHost("box", {file: right, now_: "a.b=1 2\n"}))
    assert step.command.endswith("sysctl -q -w 'a.b=4096 8192'")
    assert len(plan(setting, FakeHost("box", {file: "absent\n", now_: "a.b=1 2\n"}))) == 2
