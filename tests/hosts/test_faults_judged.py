"""Faults that a look at the host finds: the claim fails, or the operation waits, repairs or refuses, and says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assumptions._core import Evidence, Outcome, Stage
from assumptions._judge import judge
from assumptions._registry import claims
from inventories.load import load
from inventories.schema import Host as HostSpec
from inventories.stack import Driver as DriverWish
from tasks.facts.base import look
from tasks.facts.egress import EgressFact
from tasks.facts.egress import Step as RequestStep
from tasks.facts.nouveau import NouveauFact
from tasks.hosts import CommandFailed, HostError, HostKeyChanged, SudoRefused, Unreachable
from tasks.operations.base import Operation, converge
from tasks.operations.containers import ContainerToolkit, GpusInContainers
from tasks.operations.driver import Driver, GpusInUse, SecureBootRefuses
from tasks.operations.driver_choice import choose
from tasks.operations.fabric_manager import FabricManager
from tasks.operations.model_directory import ModelDirectory, WrongMount
from tasks.operations.nouveau_off import NouveauOff
from tasks.operations.package_manager import PackageManagerReady
from tasks.operations.service import PortTaken, Service
from tasks.site import Site
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine
from tests.hosts.measured import detected
from tests.hosts.packages import KERNEL, NEW, NEXT_KERNEL, OLD
from tests.hosts.spec import Disk, Spec

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
PREPARED = f"linux-headers-{KERNEL} nvidia-driver-580-server-open nvidia-fabricmanager-580"
CHOICE = choose(DriverWish(), engine="vllm", version="0.33.0", gpu="H100", compute_capability=9.0)
# row of the list, fault, its options, the claim that fails
JUDGED = [
    ("10 one GPU's fabric bad", "fabric", {}, "gpu-fabric-healthy"),
    ("10 one NVLink down", "nvlink-inactive", {}, "gpu-interconnect"),
    ("11 Xid 79", "xid", {"code": 79, "gpu": 2}, "gpu-xid-clean"),
    ("11 uncorrectable ECC", "ecc", {}, "gpu-memory-errors"),
    ("11 row remap failed", "row-remap", {"failure": True}, "gpu-memory-errors"),
    ("12 clocks held down", "throttled", {}, "gpu-throttling"),
    ("13 a GPU is missing", "gpu-missing", {}, "gpus-as-ordered"),
    ("13 another model", "wrong-gpu", {}, "gpus-as-ordered"),
    ("24 clock a day late", "clock-skew", {}, "clock-in-step"),
]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """One host whose driver works, and one on which nothing was installed; both with a small disk."""
    disk = Disk("/data", mib=16, inodes=512)
    kind = Spec(os="ubuntu-24.04", gpu="h100-80gb", gpus=8, disk=disk)
    with Fleet(specs=[kind, kind]) as up:
        up[0].run_in_container(f"apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy {PREPARED}")
        up[0].run_in_container("systemctl enable nvidia-fabricmanager")
        up[0].reboot()
        yield up


@pytest.fixture
def ready(fleet: Fleet) -> Machine:
    return fleet[0]


@pytest.fixture
def bare(fleet: Fleet) -> Machine:
    return fleet[1]


@pytest.fixture
def site(fleet: Fleet, tmp_path: Path) -> Iterator[Site]:
    """The prepared host alone."""
    file = tmp_path / f"{fleet.name}.yaml"
    file.write_text(fleet.inventory())
    whole = load(str(file))
    made = Site(whole.model_copy(update={"hosts": whole.hosts[:1]}), tmp_path / "run", run_id="run")
    yield made
    made.close()


def judged(site: Site, claim: str) -> Evidence:
    (one,) = [each for each in claims() if each.id == claim]
    return judge(site, one, Stage.HOST).evidence


def first_step(machine: Machine, operation: Operation) -> str:
    return next(operation.plan(machine.host())).why


@pytest.mark.parametrize(("row", "fault", "options", "claim"), JUDGED, ids=[f"{row[0]}" for row in JUDGED])
def test_a_fault_fails_its_claim_and_only_while_it_lasts(
    ready: Machine, site: Site, row: str, fault: str, options: dict[str, object], claim: str
) -> None:
    before = judged(site, claim).finding
    assert before.outcome is not Outcome.FAIL, before.because
    with ready.fault(fault, **options):
        site.host(site.head.name).close()  # a skewed clock is seen by new sessions only
        with detected(row):
            during = judged(site, claim)
        assert during.finding.outcome is Outcome.FAIL, during.finding.because
        assert during.trail, "the raw output stands in the record"


def test_xid_45_alone_is_no_fault(ready: Machine, site: Site) -> None:
    ready.reboot()  # the kernel log starts anew
    with ready.fault("xid", code=45):
        found = judged(site, "gpu-xid-clean").finding
    assert found.outcome is not Outcome.FAIL, found.because


# Packages (3, 4, 25)


def test_a_held_package_lock_is_waited_for_and_its_holder_named(bare: Machine) -> None:
    host = bare.host()
    with bare.fault("unattended-upgrades"):
        with detected("3 package lock held"):
            (step,) = PackageManagerReady(wait_s=1).plan(host)
        assert step.why.startswith("wait until unattended-upgr (pid ")
        with pytest.raises(CommandFailed, match="still holds /var/lib/dpkg/lock"):
            converge(host, PackageManagerReady(wait_s=1))
    with bare.fault("package-lock-held", seconds=3):
        assert len(converge(host, PackageManagerReady(wait_s=30)).steps) == 1


def test_a_half_configured_package_is_finished_once_else_dpkgs_words_end_it(bare: Machine) -> None:
    with bare.fault("half-configured"):
        with detected("4 half-configured package"):
            assert "scripted-fragile" in first_step(bare, PackageManagerReady())
        with pytest.raises(CommandFailed, match="scripted-fragile"):
            converge(bare.host(), PackageManagerReady())
        bare.run_in_container("rm -f /var/lib/scripted-nvidia/postinst-fails")
        assert converge(bare.host(), PackageManagerReady()).steps
        assert converge(bare.host(), PackageManagerReady()).steps == ()


def test_an_endpoint_out_of_reach_is_named_with_the_step_that_failed(fleet: Fleet, bare: Machine) -> None:
    fact = EgressFact(fleet.repository_url, 3)
    assert look(bare.host(), fact).status.value == 200
    with bare.fault("package-server-unreachable"), detected("25 no route to the mirror"):
        found = look(bare.host(), fact)
    assert found.failed is RequestStep.CONNECT and found.status.value is None
    assert look(bare.host(), EgressFact("http://no-such-mirror.invalid", 5)).failed is RequestStep.DNS


# Driver (5, 6, 7, 8, 9, 26)


def test_secure_boot_refuses_an_unsigned_module_before_anything_is_installed(bare: Machine) -> None:
    with bare.fault("secure-boot"), detected("6 Secure Boot"), pytest.raises(SecureBootRefuses, match="not signed"):
        list(Driver(CHOICE, "dkms").plan(bare.host()))
    assert "nvidia-dkms" not in bare.run_in_container("dpkg -l")


def test_nouveau_is_seen_and_taken_out_of_the_initramfs(bare: Machine) -> None:
    with bare.fault("nouveau"):
        bare.reboot()
        host = bare.host()
        with detected("5 nouveau holds the GPUs"):
            assert look(host, NouveauFact()).loaded
        assert len(converge(host, NouveauOff()).steps) == 2
        host.close()
        bare.reboot()
        assert not look(bare.host(), NouveauFact()).loaded
        assert converge(bare.host(), NouveauOff()).steps == ()


def test_a_fabric_manager_that_is_gone_is_a_step(ready: Machine) -> None:
    assert list(FabricManager(580).plan(ready.host())) == []
    ready.run_in_container("systemctl disable --now nvidia-fabricmanager")
    with detected("9 Fabric Manager does not run"):
        assert "nvidia-fabricmanager" in first_step(ready, FabricManager(580))
    assert converge(ready.host(), FabricManager(580)).steps
    assert list(FabricManager(580).plan(ready.host())) == []


def test_gpus_in_use_stop_a_change_of_the_driver(ready: Machine) -> None:
    other = choose(DriverWish(version=OLD), engine="vllm", version="0.33.0", gpu="H100", compute_capability=9.0)
    refused = pytest.raises(GpusInUse, match=r"python3 \(pid 1\)")
    with ready.fault("vram-held"), detected("26 a program holds GPU memory"), refused:
        list(Driver(other, "dkms").plan(ready.host()))


def test_docker_without_the_toolkit_does_not_count_as_seeing_the_gpus(ready: Machine, site: Site) -> None:
    ready.run_in_container("DEBIAN_FRONTEND=noninteractive apt-get install -qy docker-ce")
    with detected("14 no container toolkit"):
        found = judged(site, "driver-in-container").finding
    assert found.outcome is Outcome.FAIL, found.because


def test_a_kernel_without_the_module_fails_before_the_restart(ready: Machine, site: Site) -> None:
    assert judged(site, "secure-boot").finding.outcome is not Outcome.FAIL
    ready.run_in_container(f"DEBIAN_FRONTEND=noninteractive apt-get install -qy linux-image-{NEXT_KERNEL}")
    with detected("8 a kernel without the module"):
        found = judged(site, "secure-boot").finding
    assert found.outcome is Outcome.FAIL and NEXT_KERNEL in found.because
    ready.run_in_container(f"DEBIAN_FRONTEND=noninteractive apt-get purge -qy linux-image-{NEXT_KERNEL}")


def test_a_library_of_another_version_than_the_module_fails(ready: Machine, site: Site) -> None:
    ready.run_in_container(
        "DEBIAN_FRONTEND=noninteractive apt-get install -qy --allow-downgrades $(dpkg-query -W -f '${Package}\\n' |"
        f"grep -E 'nvidia.*580|580.*nvidia' | sed 's/$/={OLD}-0ubuntu0.24.04.1/')"
    )
    with detected("7 library and module differ"):
        found = judged(site, "gpu-driver-minimum").finding
    assert found.outcome is Outcome.FAIL and NEW in found.because


# Disk, port, login (15, 20, 21, 22, 26)


def test_a_full_disk_and_a_wrong_mount_are_refused_early(bare: Machine) -> None:
    with bare.fault("disk-full"), detected("15 disk full"), pytest.raises(WrongMount, match="free on /data"):
        list(ModelDirectory("/data/beachhead", "/data", 8 << 20).plan(bare.host()))
    with detected("15 wrong mount"), pytest.raises(WrongMount, match="lies on"):
        list(ModelDirectory("/opt/beachhead", "/data").plan(bare.host()))


def test_a_taken_port_is_named_and_left_alone(bare: Machine) -> None:
    service = Service("test engine", ("sleep", "60"), 8123, "/tmp/test.pid", "/tmp/test.log")
    with bare.fault("port-taken", port=8123):
        with detected("26 port taken"), pytest.raises(PortTaken, match="8123"):
            list(service.plan(bare.host()))
        assert "8123" in bare.run_in_container("ss -Hltn 'sport = :8123'")


LOGINS: list[tuple[str, str, type[HostError], dict[str, object]]] = [
    ("20 changed host key", "host-key-changed", HostKeyChanged, {}),
    ("21 sudo wants a password", "sudo-password", SudoRefused, {"sudo": True}),
    ("22 sshd frozen (connect timeout 2 s)", "sshd-frozen", Unreachable, {}),
]


@pytest.mark.parametrize(("row", "fault", "error", "options"), LOGINS, ids=[row[0] for row in LOGINS])
def test_a_login_that_fails_is_an_error_of_its_own(
    bare: Machine, row: str, fault: str, error: type[HostError], options: dict[str, bool]
) -> None:
    with bare.fault(fault), detected(row), pytest.raises(error) as met:
        bare.host(connect_timeout=2).run("true", **options)
    assert type(met.value) is error and met.value.fix


def test_the_specs_are_those_of_the_inventory(site: Site) -> None:
    spec: HostSpec = site.head
    assert (spec.gpus, spec.root) == (8, "/data")


def test_gpus_that_a_container_loses_at_a_daemon_reload_are_seen(ready: Machine) -> None:
    image = f"probe@sha256:{'0' * 64}"
    ready.run_in_container("DEBIAN_FRONTEND=noninteractive apt-get install -qy docker-ce")
    ready.reboot()  # whatever an upgrade before this left behind: module and library agree after a restart
    host = ready.host()
    converge(host, ContainerToolkit("runtime"))
    lost = pytest.raises(CommandFailed, match="left a running container")
    with detected("14 daemon-reload takes the GPUs from a container"), lost:
        converge(host, GpusInContainers(image, "runtime"))
    converge(host, ContainerToolkit("cdi"))
    assert converge(host, GpusInContainers(image, "cdi")).steps
    assert converge(host, GpusInContainers(image, "cdi")).steps == ()
