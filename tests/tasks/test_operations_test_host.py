"""A bare GPU host becomes one that serves, by real apt, dpkg, systemd and sshd; a second look finds nothing to do."""

from __future__ import annotations

import importlib
import os
import pkgutil
import shlex
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import tasks.operations
from inventories.errors import BadInput
from inventories.load import load
from inventories.schema import Inventory
from inventories.stack import Driver as DriverSpec
from tasks.facts.base import look
from tasks.facts.system_packages import SystemPackageFact
from tasks.facts.systemd_units import SystemdUnitFact
from tasks.host_operations import host_operations
from tasks.hosts import CommandFailed, Host
from tasks.operations.apt import NotSupported
from tasks.operations.base import Operation, converge
from tasks.operations.containers import ContainerToolkit, GpusInContainers
from tasks.operations.directory import Directory, InTheWay
from tasks.operations.driver import Driver, SecureBootRefuses
from tasks.operations.driver_choice import choose
from tasks.operations.file_content import FileContent, LineInFile
from tasks.operations.holds import Holds
from tasks.operations.kernel_headers import KernelHeaders
from tasks.operations.model_directory import ModelDirectory, WrongMount
from tasks.operations.package_manager import NOTE, TIMERS, PackageManagerReady, TimersHeld, TimersRestored
from tasks.operations.packages import Packages
from tasks.operations.repositories import AptRepository
from tasks.operations.supported_system import SupportedSystem
from tasks.operations.sysctl import Sysctl
from tasks.operations.systemd_service import SystemdService
from tasks.operations.toolchain import Toolchain
from tasks.operations.user_account import UserAccount
from tests.hosts import docker
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine
from tests.hosts.packages import KERNEL, NEW, NEXT_KERNEL, OLD
from tests.hosts.spec import Disk, Spec

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
IMAGE = "registry.example/probe@sha256:" + "0" * 64
SETTING = {"net.ipv4.ip_local_port_range": "20000 60999"}
ELSEWHERE = {  # their own tests bring them about and look again: on this machine, in containers, on fleets of their own
    "File", "Folder", "Libraries", "Operation", "PythonEnvironment", "RootFolder", "Service", "Stopped", "Uv",
    "Weights", "Applied", "ClusterReached", "ComposeUsable", "DeploymentKey", "EarlierGatewaysStopped",
    "EngineApplied", "GatewayConfigured", "GatewayInstalled", "GatewayKeys", "GatewayRunning", "GatewayStopped",
    "ImagePresent", "InOrder", "PeersForgotten", "PeersOnly", "RayNode", "RayStopped", "RolledOut",
    "SecretThere", "ServiceGone", "ServiceRunning", "Unwatched", "NotWatchable", "Watchable", "Watched", "WorkloadGone",
}  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Docker for the test hosts."""
    why = docker.missing()
    if why is not None:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with docker.engine(tmp_path_factory.mktemp("docker")):
        yield


def key_of(fleet: Fleet) -> Path:
    """The loopback repository's public key, as a file here."""
    key = fleet.folder / "repository.asc"
    key.write_text(docker.docker("exec", f"{fleet.name}-packages", "cat", "/srv/packages/key.asc") + "\n")
    return key


def declared(fleet: Fleet) -> Inventory:
    """An inventory of the fleet that asks for everything a GPU host can have."""
    source = {"name": "loopback", "uri": fleet.repository_url, "suite": "stable", "components": ["main"]}
    stack: dict[str, Any] = {
        "repositories": [source | {"key": str(key_of(fleet))}],
        "packages": ["nvidia-container-toolkit-base"],
        "versions": {"libnccl2": "2.27.7-1+cuda13.0"},
        "driver": {"version": OLD},
        "cuda_toolkit": "13.0",
        "cudnn": True,
        "nccl": True,
        "containers": {"probe_image": IMAGE},
    }
    data = yaml.safe_load(fleet.inventory())
    for host in data["hosts"]:
        host["stack"] = stack
    path = fleet.folder / f"{fleet.name}.yaml"
    path.write_text(yaml.safe_dump(data))
    return load(str(path))


def generic() -> list[Operation]:
    """The operations that the stack of an inventory does not use by themselves."""
    return [
        UserAccount("runner", ("video", "beachhead"), "/bin/sh"),
        Directory("/srv/work", "runner:beachhead", "0750"),
        FileContent("/etc/beachhead.conf", "a = 1\n", "0640", "root:beachhead"),
        LineInFile("/etc/environment", "A=1", "^A="),
        Sysctl("bench", SETTING),
        SystemdService("docker.service"),
        Toolchain("/usr/bin/python3"),
    ]


@pytest.fixture(scope="module")
def fleet(engine: None) -> Iterator[Fleet]:
    """One Ubuntu-like host with eight H100 behind NVSwitch; apt knows no repository."""
    with Fleet(1, os="ubuntu-24.04", gpu="h100-80gb", gpus=8, repository=False) as fleet:
        fleet[0].run_in_container("mount -o remount,rw,bind /proc/sys")  # Docker shows it read-only
        yield fleet


@pytest.fixture(scope="module")
def machine(fleet: Fleet) -> Machine:
    return fleet[0]


@pytest.fixture(scope="module")
def host(machine: Machine) -> Iterator[Host]:
    host = machine.host()
    yield host
    host.close()


@pytest.fixture(scope="module")
def converged(fleet: Fleet, host: Host) -> dict[str, Operation]:
    """Every operation by the name of its class and its own, brought about once, in order."""
    inventory = declared(fleet)
    wanted = host_operations(inventory, inventory.hosts[0])
    did = {}
    for operation in wanted:
        did[f"{type(operation).__name__}: {operation.name}"] = converge(host, operation)
    fleet[0].run_in_container("mount -o remount,rw,bind /proc/sys")  # after the restart again
    others = generic()
    for operation in others:
        converge(host, operation)
    (driver,) = (change for name, change in did.items() if name.startswith("Driver: "))
    assert driver.steps[-1] == "restart: no NVIDIA kernel module is loaded" and len(driver.steps) == 2
    return {f"{type(o).__name__}: {o.name}": o for o in [*wanted, *others]}


EVERY = [
    "SupportedSystem", "ModelDirectory", "TimersHeld", "PackageManagerReady", "AptRepository", "Packages",
    "SessionLimits", "Sysctl", "KernelHeaders", "NouveauOff", "FileContent", "Driver", "FabricManager",
    "PersistenceMode", "DockerEngine", "ContainerToolkit", "GpusInContainers", "Holds", "TimersRestored",
    "UserAccount", "Directory", "LineInFile", "SystemdService", "Toolchain",
]  # fmt: skip


@pytest.mark.parametrize("kind", EVERY)
def test_a_second_look_finds_nothing_to_do(converged: dict[str, Operation], host: Host, kind: str) -> None:
    of_kind = [operation for name, operation in converged.items() if name.startswith(f"{kind}: ")]
    assert of_kind
    assert [step.why for operation in of_kind for step in operation.plan(host)] == []


def test_the_list_above_has_every_operation_of_the_folder() -> None:
    found = set()
    for module in pkgutil.iter_modules(tasks.operations.__path__, "tasks.operations."):
        named = vars(importlib.import_module(module.name))
        found |= {
            n for n, v in named.items() if isinstance(v, type) and v.__module__ == module.name and hasattr(v, "plan")
        }
    assert {name for name in found if not name.startswith("_")} - ELSEWHERE == set(EVERY)


@pytest.mark.usefixtures("converged")
def test_the_package_manager_did_it_and_keeps_the_versions(machine: Machine, host: Host) -> None:
    log = machine.run_in_container("cat /var/log/dpkg.log")
    for name in (
        "nvidia-dkms-580-server-open",
        "nvidia-fabricmanager-580",
        f"linux-headers-{KERNEL}",
        "docker-ce",
        "g++",
    ):
        assert f"install {name}:amd64 <none>" in log, name
    found = {p.name: p for p in look(host, SystemPackageFact(("*nvidia*580*", "libnccl2")))}
    assert found.pop("libnccl2").version == "2.27.7-1+cuda13.0", "pinned below the newest"
    assert len(found) == 7
    assert all(p.version.startswith(OLD) and p.held for p in found.values()), "pinned below the newest, and held"
    machine.run_in_container("DEBIAN_FRONTEND=noninteractive apt-get -y dist-upgrade")
    assert host.run("nvidia-smi -L").check().stdout.count("H100") == 8


@pytest.mark.usefixtures("converged")
def test_the_timers_run_again_and_nothing_is_left_of_the_hold(host: Host) -> None:
    assert all(unit.is_active for unit in look(host, SystemdUnitFact(TIMERS)))
    assert host.run(f"ls {NOTE} /run/systemd/transient/beachhead-timers-again.timer").exit == 2


@pytest.mark.usefixtures("converged")
def test_timers_are_held_only_for_a_reason_and_exactly_those_that_ran_come_back(machine: Machine, host: Host) -> None:
    machine.run_in_container("systemctl stop apt-daily.timer")
    reason = FileContent("/etc/reason", "x")
    converge(host, TimersHeld([reason]))
    assert not any(unit.is_active for unit in look(host, SystemdUnitFact(TIMERS)))
    (guard,) = look(host, SystemdUnitFact(("beachhead-timers-again.timer",)))
    assert guard.is_active, "systemd brings them back if we never do"
    converge(host, TimersRestored())
    assert [unit.is_active for unit in look(host, SystemdUnitFact(TIMERS))] == [False, True], (
        "a person stopped the first"
    )
    machine.run_in_container("systemctl start apt-daily.timer")


@pytest.mark.usefixtures("converged")
def test_a_lock_is_waited_for_and_never_touched(machine: Machine, host: Host) -> None:
    with machine.fault("package-lock-held"):
        (step,) = PackageManagerReady(wait_s=2).plan(host)
        assert step.why.startswith("wait until apt-get (pid ") and "/var/lib/dpkg/lock" in step.why
        with pytest.raises(CommandFailed, match=r"apt-get \(pid \d+\) still holds .* after 2 s"):
            converge(host, PackageManagerReady(wait_s=2))
        assert list(PackageManagerReady().plan(host)), "it is still held"
    assert list(PackageManagerReady().plan(host)) == []
    fault = machine.fault("package-lock-held")
    fault.__enter__()
    releaser = threading.Timer(3, lambda: fault.__exit__(None, None, None))
    releaser.start()
    began = time.monotonic()
    assert len(converge(host, PackageManagerReady()).steps) >= 1
    assert time.monotonic() - began > 1
    releaser.join()


@pytest.mark.usefixtures("converged")
def test_what_dpkg_left_half_done_is_finished_once_or_stops_with_its_words(machine: Machine, host: Host) -> None:
    with machine.fault("half-configured"):
        (step,) = PackageManagerReady().plan(host)
        assert "scripted-fragile (half configured)" in step.why
        with pytest.raises(CommandFailed, match="scripted failure"):
            converge(host, PackageManagerReady())
        machine.run_in_container("rm /var/lib/scripted-nvidia/postinst-fails")
        assert converge(host, PackageManagerReady()).steps == (step.why,)
    assert list(PackageManagerReady().plan(host)) == []


@pytest.mark.usefixtures("converged")
def test_a_runtime_that_drops_the_gpus_at_a_reload_is_refused(host: Host) -> None:
    converge(host, ContainerToolkit("runtime"))
    assert list(ContainerToolkit("runtime").plan(host)) == []
    with pytest.raises(CommandFailed, match=r"nvidia-container-toolkit#48.*gpus_by: cdi"):
        converge(host, GpusInContainers(IMAGE, "runtime"))
    assert list(GpusInContainers(IMAGE, "runtime").plan(host)), "a failed trial is not noted"


@pytest.mark.usefixtures("converged")
def test_a_new_kernel_gets_its_module_and_without_one_nothing_restarts(machine: Machine, host: Host) -> None:
    driver = Driver(choose(DriverSpec(version=OLD), engine="vllm", version="0.33.0", gpu="x", compute_capability=9.0))
    machine.run_in_container(f"DEBIAN_FRONTEND=noninteractive apt-get install -y linux-image-{NEXT_KERNEL}")
    (build,) = driver.plan(host)
    assert build.why == f"build the module for kernel {NEXT_KERNEL}"
    restart = driver._restart("a test", driver._kernels(host))
    refused = host.run(restart.command, sudo=True)
    assert refused.exit == 1 and f"not restarted: kernel {NEXT_KERNEL} has no nvidia module" in refused.stderr
    converge(host, KernelHeaders())
    converge(host, driver)
    assert list(driver.plan(host)) == []
    machine.reboot()
    host.close()
    assert host.run("uname -r").stdout.strip() == NEXT_KERNEL
    assert list(driver.plan(host)) == []


@pytest.mark.usefixtures("converged")
def test_an_upgrade_behind_our_back_is_mended_by_one_restart(machine: Machine, host: Host) -> None:
    machine.run_in_container(
        "rm /etc/apt/preferences.d/beachhead-nvidia; apt-mark unhold '*580*'; apt-get -y dist-upgrade"
    )
    driver = Driver(choose(DriverSpec(), engine="vllm", version="0.33.0", gpu="x", compute_capability=9.0))
    (restart,) = driver.plan(host)
    assert restart.reboot and "version mismatch" in restart.why.lower() and restart.cannot_undo
    converge(host, driver)
    assert host.run("nvidia-smi --query-gpu=driver_version --format=csv,noheader -i 0").stdout.strip() == NEW
    assert len(converge(host, Holds()).steps) == 1


HOSTILE = ("a b", "$(touch PWNED)", "`touch PWNED`", "'; touch PWNED; '", '"; touch PWNED; "', "a\nb", "-rf", "*", "é")


def test_hostile_names_and_texts_arrive_as_they_are(machine: Machine, host: Host) -> None:
    converge(host, Directory("/srv/hostile"))
    for text in HOSTILE:
        folder = Directory(f"/srv/hostile/{text}")
        file = FileContent(f"/srv/hostile/{text}/{text}", f"{text}\n$HOME\n")
        for operation in (folder, file):
            converge(host, operation)
            assert list(operation.plan(host)) == []
        if "\n" not in text:
            converge(host, LineInFile(file.path, f"$(touch PWNED) {text}"))
            assert host.run(f"cat {shlex.quote(file.path)}").stdout == f"{text}\n$HOME\n$(touch PWNED) {text}\n"
    found = host.run("find /srv/hostile -mindepth 1 -maxdepth 1 -printf '%f\\0'").stdout.split("\0")
    assert set(found) == {*HOSTILE, ""}
    assert machine.run_in_container("find / -xdev -name 'PWNED*' 2>/dev/null") == ""


def test_what_lies_in_the_way_is_left_alone(machine: Machine, host: Host) -> None:
    machine.run_in_container("mkdir -p /srv/folder; touch /srv/thing")
    with pytest.raises(InTheWay, match="a directory is where the file should be"):
        list(FileContent("/srv/folder", "x").plan(host))
    with pytest.raises(InTheWay, match="regular empty file"):
        list(Directory("/srv/thing").plan(host))


def test_secure_boot_refuses_a_module_of_our_own_and_takes_the_signed_one(engine: None) -> None:
    spec = DriverSpec(branch=580, kernel_module="proprietary")  # the scripted open module shows itself by DKMS alone
    choice = choose(spec, engine="vllm", version="0.33.0", gpu="NVIDIA A100", compute_capability=8.0)
    with Fleet(1, os="ubuntu-22.04", gpu="a100-80gb", gpus=2) as fleet, fleet[0].fault("secure-boot"):
        host = fleet[0].host()
        with pytest.raises(SecureBootRefuses, match="signed"):
            converge(host, Driver(choice, "dkms"))
        assert look(host, SystemPackageFact(("*nvidia*",))) == ()
        assert list(KernelHeaders().plan(host)) == []
        done = converge(host, Driver(choice))
        assert f"linux-modules-nvidia-580-server-{KERNEL}" in done.steps[0] and len(done.steps) == 2
        assert host.run("nvidia-smi -L").stdout.count("A100") == 2
        host.close()


def test_an_older_held_branch_gives_way_and_programs_on_the_gpus_forbid_it(engine: None) -> None:
    with Fleet(1, os="ubuntu-24.04", gpu="a100-80gb", gpus=1) as fleet:
        machine, host = fleet[0], fleet[0].host()
        older = choose(DriverSpec(branch=570), engine="vllm", version="0.33.0", gpu="A100", compute_capability=8.0)
        newer = choose(DriverSpec(), engine="vllm", version="0.33.0", gpu="A100", compute_capability=8.0)
        for operation in (KernelHeaders(), Driver(older), Holds()):
            converge(host, operation)
        with machine.fault("vram-held"), pytest.raises(Exception, match=r"programs use the GPUs: python3 \(pid 1\)"):
            converge(host, Driver(newer))
        converge(host, Driver(newer))
        assert look(host, SystemPackageFact(("*nvidia*570*",))) == ()
        assert list(Driver(newer).plan(host)) == []
        host.close()


def test_other_systems_and_wrong_disks_are_refused_before_any_change(engine: None) -> None:
    disk = Disk("/data", mib=64)
    specs = [Spec(os="rhel-9"), Spec(os="debian-12", gpu="a40", gpus=1, disk=disk), Spec(os="ubuntu-22.04")]
    with Fleet(specs=specs) as fleet:
        rhel, debian, ubuntu = (machine.host() for machine in fleet)
        with pytest.raises(NotSupported, match=r"rhel 9\.6 on x86_64, of the family dnf"):
            list(SupportedSystem(gpus=False).plan(rhel))
        with pytest.raises(NotSupported, match="by apt alone"):
            list(Packages(("tree",)).plan(rhel))
        with pytest.raises(NotSupported, match="debian 12"):
            list(SupportedSystem(gpus=True).plan(debian))
        assert list(SupportedSystem(gpus=False).plan(debian)) == list(SupportedSystem(gpus=True).plan(ubuntu)) == []
        with pytest.raises(WrongMount, match=r"lies on /data .*, and /models was declared"):
            list(ModelDirectory("/data/models", "/models").plan(debian))
        with pytest.raises(WrongMount, match=r"1 GB are to lie below /data/models"):
            list(ModelDirectory("/data/models", "/data", 1 << 30).plan(debian))
        converge(debian, ModelDirectory("/data/models", "/data", 1 << 20))
        assert debian.run("stat -c %U /data/models").stdout.strip() == "ops"
        wrong = AptRepository("x", fleet.repository_url + "/nowhere", "stable", ("main",), str(key_of(fleet)))
        with pytest.raises(CommandFailed, match=r"404|does not have a Release file"):
            converge(ubuntu, wrong)
        assert [step.why for step in wrong.plan(ubuntu)] == [f"read {wrong.uri}"], "not taken for read"
        with pytest.raises(BadInput, match="can't be used"):
            list(AptRepository("x", "http://h/", "stable", ("main",), "/nowhere.asc").plan(ubuntu))
        for host in (rhel, debian, ubuntu):
            host.close()
