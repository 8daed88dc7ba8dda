"""The parsers of the facts about the host itself."""

import pytest

from tasks.facts.base import NotUnderstood
from tasks.facts.block_devices import BlockDeviceFact
from tasks.facts.boot import BootFact
from tasks.facts.clock import ClockSyncFact, HostTimeFact, clock_difference
from tasks.facts.disk_read import DiskReadFact, FioReadFact
from tasks.facts.egress import EgressFact, Step
from tasks.facts.listening_ports import ListeningPort, ListeningPortFact, PortOwner
from tasks.facts.memory import MemoryFact, MemoryLimitFact
from tasks.facts.mounts import MountOfFact, MountsFact
from tasks.facts.needrestart import Needrestart, NeedrestartFact, RestartMode
from tasks.facts.network_interfaces import NetworkInterfaceFact
from tasks.facts.operating_system import OperatingSystemFact, PackageFamily
from tasks.facts.package_faults import HeldPackageFact, PackageAudit, PackageAuditFact, PackageFault
from tasks.facts.package_locks import PackageLock, PackageLockFact
from tasks.facts.process_limits import Limit, ProcessLimitsFact
from tasks.facts.processor import NumaNode, ProcessorFact
from tasks.facts.proxies import Proxy, ProxyFact
from tasks.facts.reading import Reading
from tasks.facts.shared_memory import SharedMemoryFact
from tasks.facts.sudo_mode import SudoMode, SudoModeFact
from tasks.facts.system_packages import SystemPackageFact
from tasks.facts.systemd_units import APT_TIMERS, SystemdUnitFact
from tasks.fake import FakeHost
from tests.recorded.host_facts import FIO, NO_UNIT, UNIT, here, log


@pytest.mark.parametrize(
    ("name", "like", "family"),
    [
        ("ubuntu", "debian", PackageFamily.APT),
        ("debian", "", PackageFamily.APT),
        ("rocky", "rhel centos fedora", PackageFamily.DNF),
        ("rhel", "fedora", PackageFamily.DNF),
        ("arch", "", PackageFamily.OTHER),
    ],
)
def test_operating_system(name: str, like: str, family: PackageFamily) -> None:
    system = OperatingSystemFact().parse(f"id={name}\nlike={like}\nversion=9.4\nkernel=6.8.0\narch=x86_64\n")
    assert (system.id, system.version, system.family) == (name, "9.4", family)
    assert OperatingSystemFact().parse(here("operating-system.txt")).version == "12"


def test_processor_with_two_nodes_and_one_of_memory_alone() -> None:
    here_ = ProcessorFact().parse(here("processor.txt"))
    assert (here_.logical, here_.cores, here_.sockets, here_.nodes[0].cpus) == (2, 2, 1, (0, 1))
    text = (
        "@@ cpus\n# CPU,Core,Socket,Node\n0,0,0,0\n1,0,0,0\n2,0,1,1\n3,0,1,1\n@@ model\n@@ memory\n"
        "Node 0 MemTotal:  1048576 kB\nNode 1 MemTotal:  2097152 kB\nNode 2 MemTotal:  1024 kB\n"
    )
    two = ProcessorFact().parse(text)
    assert (two.model, two.logical, two.cores, two.sockets) == (None, 4, 2, 2)
    assert two.nodes == (NumaNode(0, (0, 1), 1024), NumaNode(1, (2, 3), 2048), NumaNode(2, (), 1))


def test_memory_and_its_limit() -> None:
    assert MemoryFact().parse(here("meminfo.txt")).total_bytes == 24_684_092 * 1024
    assert MemoryLimitFact().parse(here("memory-limit.txt")).limit_bytes is None
    text = "@@ limits\n/a/b max\n/a 8589934592\n/ 17179869184\n@@ kills\noom_kill 3\n"
    limit = MemoryLimitFact().parse(text)
    assert (limit.limit_bytes, limit.oom_kills) == (8 << 30, 3)


def test_shared_memory_and_limits() -> None:
    shared = SharedMemoryFact().parse(here("shared-memory.txt"))
    assert (shared.filesystem, shared.size_bytes) == ("tmpfs", 25_276_510_208)
    limits = ProcessLimitsFact().parse(here("process-limits.txt"))
    assert (limits.open_files, limits.locked_bytes) == (Limit(20000, 20000), Limit(8388608, 8388608))
    text = here("process-limits.txt").replace("8388608              8388608 ", "unlimited            unlimited ")
    assert ProcessLimitsFact().parse(text).locked_bytes == Limit(None, None)


@pytest.mark.parametrize("old", [False, True])
def test_block_devices(old: bool) -> None:
    yes, size = ('"1"', '"1920383410176"') if old else ("true", "1920383410176")
    part = f'{{"name": "nvme0n1p1", "type": "part", "size": {size}, "rota": {yes}, "ro": {yes}, "model": null, '
    part += '"serial": null, "tran": "nvme", "fstype": "xfs", "mountpoint": "/data"}'
    disk = part.replace("nvme0n1p1", "nvme0n1").replace("part", "disk").replace('"model": null', '"model": "KCD6 "')
    text = f'{{"blockdevices": [{disk[:-1]}, "children": [{part}]}}]}}'
    whole, piece = BlockDeviceFact().parse(text)
    assert (whole.name, whole.parent, whole.model, whole.size_bytes) == ("nvme0n1", "", "KCD6", 1_920_383_410_176)
    assert (piece.parent, piece.mount, piece.rotational) == ("nvme0n1", "/data", True)


def test_mounts() -> None:
    of = MountOfFact("/").parse(here("mount-of-root.txt"))
    assert (of.mount.source, of.mount.filesystem, of.mount.path) == ("/dev/vda", "ext4", "/")
    assert not of.read_only and of.rotational == Reading(True)
    shm = MountOfFact("/dev/shm").parse(here("mount-of-shm.txt"))
    assert shm.rotational == Reading(None, "no disk")
    heading = "Filesystem Type 1B-blocks Avail Inodes IFree Mounted on\n"
    (btrfs,) = MountsFact().parse(heading + "/dev/sdb btrfs 100 50 0 0 /mnt/with space\n")
    assert (btrfs.path, btrfs.inodes, btrfs.free_inodes) == ("/mnt/with space", None, None)
    (full,) = MountsFact().parse(heading + "/dev/sdb ext4 100 0 64 0 /data\n")
    assert (full.free_bytes, full.inodes, full.free_inodes) == (0, 64, 0)
    (odd,) = MountsFact().parse(heading + "fs-1:/ nfs4 - - - - /nfs\n")
    assert (odd.size_bytes, odd.free_bytes) == (None, None)


def test_disk_read() -> None:
    read = DiskReadFact("/x", 32).parse(here("disk-read.txt"))
    assert read.bytes_read == 32 << 20 and read.bytes_per_second == pytest.approx(502e6, rel=0.01)
    fast = FioReadFact("/x", 5).parse("fio: a note before\n" + FIO)
    assert fast.bytes_per_second == 10_485_760_000 / 5
    for broken in (FIO.replace('"error": 0', '"error": 5'), FIO.replace("5000", "0"), '{"jobs": []}', '{"jobs": 3}'):
        with pytest.raises(NotUnderstood):
            FioReadFact("/x", 5).parse(broken)
    with pytest.raises(NotUnderstood):
        DiskReadFact("/x", 32).parse("0+0 records in\n0+0 records out\n0 bytes copied, 0.0003 s, 0.0 kB/s\n")


def test_disk_read_is_bounded() -> None:
    assert "count=2 " in DiskReadFact("/x", 32).command and "count=1 " in DiskReadFact("/x", 0).command
    assert "--readonly" in FioReadFact("/x", 5).command and "--runtime=5 " in FioReadFact("/x", 5).command


def test_network_interfaces() -> None:
    text = "eno1 mtu=9000 state=up speed=100000 device=yes\neno2 mtu=1500 state=down speed=-1 device=yes\n"
    fast, down = NetworkInterfaceFact().parse(text)
    assert (fast.up, fast.mtu, fast.speed_mbit_s) == (True, 9000, Reading(100_000))
    assert not down.up and down.speed_mbit_s == Reading(None, "the kernel says -1")
    assert {face.name for face in NetworkInterfaceFact().parse(here("network-interfaces.txt"))} >= {"eth0", "lo"}


def test_clock_by_chrony() -> None:
    text = "@@ chrony\n" + log("chrony-tracking.txt")
    sync = ClockSyncFact().parse(text)
    assert sync.synchronized and sync.offset_s == Reading(-0.000052616)
    assert ClockSyncFact().parse(text.replace("slow", "fast")).offset_s == Reading(0.000052616)
    assert not ClockSyncFact().parse(text.replace("Normal", "Not synchronised")).synchronized
    assert not ClockSyncFact().parse(text.replace("55C7D664", "7F7F0101")).synchronized  # its own clock


def test_clock_by_the_others() -> None:
    ntpd = ClockSyncFact().parse("@@ ntpd\n" + log("ntpq-rv.txt"))
    assert ntpd.synchronized and ntpd.offset_s == Reading(pytest.approx(-0.000671))
    assert not ClockSyncFact().parse("@@ ntpd\n" + log("ntpq-rv.txt").replace("stratum=3", "stratum=16")).synchronized
    systemd = ClockSyncFact().parse("@@ systemd\nNTP=yes\nNTPSynchronized=no\n")
    assert not systemd.synchronized and systemd.offset_s.value is None


def test_clock_difference_takes_the_host_that_is_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.facts.clock.time.time", lambda: 1_795_000_000.0)
    host = FakeHost("gpu1", {HostTimeFact().command: "1795000090.500000000\n"})
    difference = clock_difference(host)
    assert difference.seconds == pytest.approx(90.5, abs=difference.bound_s + 0.01)
    assert 0 <= difference.bound_s < 1 and len(host.calls) == 3
    with pytest.raises(NotUnderstood):  # a `date` without nanoseconds
        HostTimeFact().parse("1795000090.%N\n")


def test_boot() -> None:
    boot = BootFact().parse(here("boot.txt"))
    assert len(boot.id) == 36 and boot.at_s > 1_700_000_000


def test_package_faults() -> None:
    unpacked, broken = (
        PackageFault("beachhead-unpacked", "unpacked"),
        PackageFault("beachhead-broken", "half configured"),
    )
    assert PackageAuditFact().parse(here("package-faults-half.txt")) == PackageAudit(False, (unpacked, broken))
    busy = PackageAuditFact().parse(here("package-faults-busy.txt"))
    assert busy == PackageAudit(True, (unpacked, broken)) and not busy.clean
    assert PackageAuditFact().parse(here("package-faults-none.txt")).clean and PackageAuditFact.needs_root
    mess = (
        "The following packages are in a mess due to serious problems during\ninstallation.  They must be reinstalled "
        "for them (and any packages\nthat depend on them) to function properly:\n nvidia-dkms-580:amd64 NVIDIA DKMS\n"
    )
    (fault,) = PackageAuditFact().parse(f"@@ audit\n{mess}\n@@ end\n").faults
    assert fault == PackageFault("nvidia-dkms-580:amd64", "must be reinstalled")
    with pytest.raises(NotUnderstood):
        PackageAuditFact().parse("@@ audit\nThe following packages are odd:\n x  y\n\n@@ end\n")


def test_locks_and_holds() -> None:
    text = "@@ locks\n/var/lib/dpkg/lock|812|apt-get\n/var/lib/apt/lists/lock|0|\n@@ end\n"
    assert PackageLockFact().parse(text) == (
        PackageLock("/var/lib/dpkg/lock", 812, "apt-get"),
        PackageLock("/var/lib/apt/lists/lock", 0, ""),
    )
    assert PackageLockFact().parse(here("package-locks-none.txt")) == ()
    assert HeldPackageFact().parse("@@ held\na-b:arm64\nc\n@@ end") == ("a-b:arm64", "c")
    with pytest.raises(NotUnderstood):
        HeldPackageFact().parse("@@ held\nE: Could not open\n@@ end")


def test_system_packages() -> None:
    libc, dpkg = SystemPackageFact(("libc6", "dpkg", "libnccl*")).parse(here("system-packages.txt"))
    assert {libc.name, dpkg.name} == {"libc6", "dpkg"} and libc.complete and not libc.held
    text = "@@ packages\nnvidia-a\t580.95\thi \nnvidia-b\t1\tiF \nnvidia-c\t\tun \nnvidia-d\t2\trc \n@@ end\n"
    held, half = SystemPackageFact(("nvidia*",)).parse(text)
    assert held.held and held.complete and not half.complete


def test_systemd_units() -> None:
    fabric, nope = SystemdUnitFact(("nvidia-fabricmanager.service", "nope.service")).parse(f"{UNIT}\n{NO_UNIT}")
    assert fabric.exists and fabric.is_active and fabric.enabled == "enabled"
    assert not nope.exists and not nope.is_active
    names = (*APT_TIMERS, "ssh.service", "nope.service")
    units = SystemdUnitFact(names).parse(here("systemd-units.txt"))
    assert tuple(unit.name for unit in units) == names and [unit.is_active for unit in units] == [True] * 4 + [False]
    with pytest.raises(NotUnderstood):
        SystemdUnitFact(("a.service", "b.service")).parse(UNIT)


def test_needrestart() -> None:
    text = "@@ installed\nyes\n@@ modes\n$nrconf{restart} = 'i';\n  $nrconf{restart}=\"a\"; # ours\n"
    assert NeedrestartFact().parse(text) == Needrestart(True, RestartMode.RESTART)
    assert NeedrestartFact().parse(here("needrestart-absent.txt")) == Needrestart(False, None)


@pytest.mark.parametrize(
    ("uid", "said", "status", "mode"),
    [
        (0, "", 0, SudoMode.ROOT),
        (0, "sh: 1: sudo: not found\n", 127, SudoMode.ROOT),
        (1000, "", 0, SudoMode.PASSWORDLESS),
        (1000, "sudo: a password is required\n", 1, SudoMode.PASSWORD),
        (1000, "sudo: sorry, you must have a tty to run sudo\n", 1, SudoMode.TTY),
        (1000, "sudo: a terminal is required to read the password; either use the -S option\n", 1, SudoMode.TTY),
        (1000, "ops is not in the sudoers file.  This incident will be reported.\n", 1, SudoMode.REFUSED),
        (1000, "Sorry, user ops may not run sudo on gpu1.\n", 1, SudoMode.REFUSED),
        (1000, "sh: 1: sudo: not found\n", 127, SudoMode.ABSENT),
        (1000, "bash: line 1: sudo: command not found\n", 127, SudoMode.ABSENT),
    ],
)
def test_sudo_mode(uid: int, said: str, status: int, mode: SudoMode) -> None:
    assert SudoModeFact().parse(f"@@ uid\n{uid}\n@@ sudo\n{said}@@ exit\n{status}\n") is mode


def test_an_unknown_refusal_of_sudo_is_not_guessed() -> None:
    with pytest.raises(NotUnderstood):
        SudoModeFact().parse("@@ uid\n1000\n@@ sudo\nsudo: unable to resolve host\n@@ exit\n1\n")


def test_listening_ports() -> None:
    text = (
        '@@ tcp\nLISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=812,fd=3))\n'
        'LISTEN 0 511 [::]:80 [::]:* users:(("nginx",pid=9,fd=6),("nginx",pid=10,fd=6))\n'
        "LISTEN 0 4096 127.0.0.53%lo:53 0.0.0.0:*\n@@ end\n"
    )
    ssh, web, dns = ListeningPortFact().parse(text)
    assert ssh == ListeningPort("0.0.0.0", 22, (PortOwner(812, "sshd"),))
    assert (web.address, [owner.pid for owner in web.owners]) == ("[::]", [9, 10])
    assert (dns.address, dns.port, dns.owners) == ("127.0.0.53%lo", 53, ())


def test_proxies() -> None:
    text = (
        "@@ session\nhttps_proxy=***@10.0.0.1:3128\nNO_PROXY=localhost,10.0.0.0/8\n@@ environment\n"
        'export http_proxy="http://10.0.0.1:3128"\n@@ apt\nAcquire::http::Proxy "http://10.0.0.2:3142";\n'
        "@@ dnf\nproxy=http://10.0.0.3:3128\n@@ docker\nHTTPS_PROXY=http://10.0.0.4\n@@ end\n"
    )
    assert ProxyFact().parse(text) == (
        Proxy("session", "https_proxy", "***@10.0.0.1:3128"),
        Proxy("session", "no_proxy", "localhost,10.0.0.0/8"),
        Proxy("environment", "http_proxy", "http://10.0.0.1:3128"),
        Proxy("apt", "http::proxy", "http://10.0.0.2:3142"),
        Proxy("dnf", "proxy", "http://10.0.0.3:3128"),
        Proxy("docker", "https_proxy", "http://10.0.0.4"),
    )
    assert ProxyFact().parse(here("proxies-none.txt")) == ()


@pytest.mark.parametrize(
    ("exit_", "message", "times", "step"),
    [
        (5, "Could not resolve proxy: proxy.lan", "000 0 0 0 0.01", Step.PROXY),
        (6, "Could not resolve host: hub.example", "000 0 0 0 0.01", Step.DNS),
        (7, "Failed to connect to hub.example port 443", "000 0.01 0 0 0.02", Step.CONNECT),
        (60, "SSL certificate problem: self-signed certificate", "000 0.01 0.02 0 0.03", Step.TLS),
        (56, "CONNECT tunnel failed, response 407", "000 0.01 0.02 0 0.03", Step.PROXY),
        (52, "Empty reply from server", "000 0.01 0.02 0.03 0.04", Step.RESPONSE),
        (28, "Resolving timed out after 3000 milliseconds", "000 0 0 0 3.0", Step.DNS),
        (28, "Connection timed out after 3000 milliseconds", "000 0.01 0 0 3.0", Step.CONNECT),
        (28, "SSL connection timeout", "000 0.01 0.02 0 3.0", Step.TLS),
        (28, "Operation timed out", "000 0.01 0.02 0.03 3.0", Step.RESPONSE),
    ],
)
def test_egress_names_the_step_that_failed(exit_: int, message: str, times: str, step: Step) -> None:
    text = f"curl: ({exit_}) {message}\n\ntimes {times} \nexit {exit_}\n"
    egress = EgressFact("https://hub.example/", 3).parse(text)
    assert egress.failed is step and egress.status == Reading(None, message)


def test_egress_with_a_status_of_any_kind() -> None:
    text = "\ntimes 401 0.004 0.011 0.030 0.052 192.0.2.7\nexit 0\n"
    egress = EgressFact("https://hub.example/", 3).parse(text)
    assert (egress.status, egress.failed, egress.address) == (Reading(401), None, "192.0.2.7")
    assert (egress.lookup_s, egress.connect_s, egress.tls_s, egress.total_s) == (0.004, 0.011, 0.030, 0.052)
    with pytest.raises(NotUnderstood):  # an exit status of curl that says nothing about the way
        EgressFact("https://hub.example/", 3).parse(text.replace("exit 0", "exit 23"))
