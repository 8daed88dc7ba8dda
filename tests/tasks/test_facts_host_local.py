"""The commands of the facts about a host, run for real on this machine."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tasks.facts.base import look
from tasks.facts.block_devices import BlockDeviceFact
from tasks.facts.boot import BootFact
from tasks.facts.clock import clock_difference
from tasks.facts.disk_read import DiskReadFact, FioReadFact
from tasks.facts.egress import EgressFact, Step
from tasks.facts.listening_ports import ListeningPortFact, PortOwner
from tasks.facts.memory import MemoryFact, MemoryLimitFact
from tasks.facts.mounts import MountOfFact, MountsFact
from tasks.facts.network_interfaces import NetworkInterfaceFact
from tasks.facts.operating_system import OperatingSystemFact
from tasks.facts.package_faults import HeldPackageFact, PackageAudit, PackageAuditFact, PackageFault
from tasks.facts.package_locks import PackageLockFact
from tasks.facts.packages import InstalledPackage
from tasks.facts.process_limits import ProcessLimitsFact
from tasks.facts.processor import ProcessorFact
from tasks.facts.proxies import ProxyFact
from tasks.facts.shared_memory import SharedMemoryFact
from tasks.facts.sudo_mode import SudoMode, SudoModeFact
from tasks.facts.system_packages import SystemPackageFact
from tasks.hosts import CommandFailed
from tasks.local import LocalHost

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not Path("/proc/locks").exists(), reason="reads Linux's /proc"),
]
HOST = LocalHost()
ODD = 'it\'s a "file" with $(odd) name'
SLOW_S = 1
HOLDER = (
    "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.lockf(f, fcntl.LOCK_EX); "
    "print(1, flush=True); time.sleep(60)"
)


def need(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")


def test_system_processor_and_boot() -> None:
    need("lscpu")
    system = look(HOST, OperatingSystemFact())
    assert (system.kernel, system.arch) == (os.uname().release, os.uname().machine)
    assert f"ID={system.id}" in Path("/etc/os-release").read_text().replace('"', "").splitlines()
    assert look(HOST, ProcessorFact()).logical == os.sysconf("SC_NPROCESSORS_ONLN")
    boot = look(HOST, BootFact())
    assert boot.id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert boot.at_s < time.time()


def test_memory() -> None:
    assert look(HOST, MemoryFact()).total_bytes == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = look(HOST, MemoryLimitFact())
    assert limit.limit_bytes is None or limit.limit_bytes > 1 << 20
    assert f"oom_kill {limit.oom_kills}" in Path("/proc/vmstat").read_text().splitlines()
    shared = os.statvfs("/dev/shm")
    assert look(HOST, SharedMemoryFact()).size_bytes == shared.f_frsize * shared.f_blocks
    assert look(HOST, ProcessLimitsFact()).open_files.soft == int(
        subprocess.run("ulimit -Sn", shell=True, capture_output=True, text=True, check=True).stdout
    )


def test_disks_and_mounts(tmp_path: Path) -> None:
    need("findmnt")
    of = look(HOST, MountOfFact(str(tmp_path / ODD / "not" / "yet")))
    room = os.statvfs(tmp_path)
    assert of.mount.size_bytes == room.f_frsize * room.f_blocks and not of.read_only
    assert Path(of.mount.path).is_mount()
    mounts = look(HOST, MountsFact())
    assert any(mount.path == "/" for mount in mounts) and of.mount.path in {mount.path for mount in mounts}
    assert len({device.name for device in look(HOST, BlockDeviceFact())}) >= 1


def test_a_disk_is_read(tmp_path: Path) -> None:
    file = tmp_path / ODD
    file.write_bytes(b"x" * (20 << 20))
    try:
        read = look(HOST, DiskReadFact(str(file), 16))
    except CommandFailed as error:  # a file system in memory knows no O_DIRECT
        assert "Invalid argument" in str(error)
    else:
        assert read.bytes_read == 16 << 20 and read.bytes_per_second > 1e6
    with pytest.raises(CommandFailed, match="No such file"):
        look(HOST, DiskReadFact(str(tmp_path / "absent"), 16))


def test_fio_reads_too_where_it_is_installed(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"x" * (4 << 20))
    if shutil.which("fio") is None:
        with pytest.raises(CommandFailed, match="127"):
            look(HOST, FioReadFact(str(file), 1))
    else:
        assert look(HOST, FioReadFact(str(file), 1)).bytes_read > 0


def test_network_and_clock() -> None:
    faces = {face.name: face for face in look(HOST, NetworkInterfaceFact())}
    assert faces["lo"].up and not faces["lo"].has_device
    difference = clock_difference(HOST)
    assert abs(difference.seconds) <= difference.bound_s + 0.05


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A file and the process that holds its record lock."""
    path = tmp_path / "lock-frontend"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline()
        yield path, child.pid
        child.kill()


def test_the_holder_of_a_lock_is_named_and_who_waits_is_not(locked: tuple[Path, int]) -> None:
    path, pid = locked
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as waiter:
        deadline = time.monotonic() + 20
        while f"-> POSIX  ADVISORY  WRITE {waiter.pid} " not in Path("/proc/locks").read_text():
            assert time.monotonic() < deadline, "the second process never waited"
            time.sleep(0.02)
        (lock,) = look(HOST, PackageLockFact(locked=str(path), named="/none"))
        waiter.kill()
    assert (lock.path, lock.pid) == (str(path), pid) and lock.process.startswith("python")


def test_a_lock_that_was_released_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    fact = PackageLockFact(locked=str(path), named="/none")
    assert look(HOST, fact) == ()  # no such file
    with path.open("a") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        assert [lock.pid for lock in look(HOST, fact)] == [os.getpid()]
    assert look(HOST, fact) == ()


def test_a_lock_that_is_a_number_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rpmdb_lock.pid"
    fact = PackageLockFact(locked="/none", named=str(path))
    path.write_text(f"{os.getpid()}\n")
    assert [lock.pid for lock in look(HOST, fact)] == [os.getpid()]
    path.write_text("4999999\n")  # above the kernel's largest number
    assert look(HOST, fact) == ()


def package(folder: Path, name: str, *, breaks: bool) -> Path:
    """A package whose configuration fails or does nothing."""
    (folder / name / "DEBIAN").mkdir(parents=True)
    (folder / name / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: a <a@example.com>\nDescription: for a test\n"
    )
    script = folder / name / "DEBIAN" / "postinst"
    script.write_text(f"#!/bin/sh\nexit {int(breaks)}\n")
    script.chmod(0o755)
    subprocess.run(["dpkg-deb", "-b", folder / name, folder / f"{name}.deb"], check=True, capture_output=True)
    return folder / f"{name}.deb"


@pytest.mark.skipif(os.getuid() != 0, reason="dpkg installs as root alone")
def test_a_package_that_dpkg_left_half_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("dpkg-deb")
    admin = tmp_path / "admin"
    for folder in ("updates", "info"):
        (admin / folder).mkdir(parents=True)
    (admin / "status").touch()
    monkeypatch.setenv("DPKG_ADMINDIR", str(admin))
    assert look(HOST, PackageAuditFact()).clean
    ours = ["dpkg", f"--instdir={tmp_path / 'root'}", "--force-script-chrootless", "--log=/dev/null", "-i"]
    (tmp_path / "root").mkdir()
    done = subprocess.run([*ours, package(tmp_path, "broken", breaks=True)], capture_output=True, check=False)
    assert done.returncode != 0
    faults = (PackageFault("broken", "half configured"),)
    assert look(HOST, PackageAuditFact()) == PackageAudit(False, faults)
    with (admin / "lock").open("a") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        assert look(HOST, PackageAuditFact()) == PackageAudit(True, faults)


def test_packages_of_this_machine() -> None:
    need("dpkg-query")
    packages = {package.name: package for package in look(HOST, SystemPackageFact(("dpkg", "no-such-package-*")))}
    assert list(packages) == ["dpkg"] and packages["dpkg"].complete
    assert look(HOST, SystemPackageFact(("no-such-package-*",))) == ()
    if shutil.which("apt-mark"):
        assert all(isinstance(name, str) for name in look(HOST, HeldPackageFact()))


def test_a_python_package_beside_an_interpreter() -> None:
    assert look(HOST, InstalledPackage(sys.executable, ("no-such-package", "pytest"))) == f"pytest {pytest.__version__}"


def test_sudo_mode_of_this_user() -> None:
    mode = look(HOST, SudoModeFact())
    assert (mode is SudoMode.ROOT) == (os.getuid() == 0)


def test_a_listening_port_and_its_owner() -> None:
    need("ss")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (found,) = [found for found in look(HOST, ListeningPortFact()) if found.port == port]
    assert found.address == "127.0.0.1" and [owner.pid for owner in found.owners] == [os.getpid()]
    assert isinstance(found.owners[0], PortOwner)


@pytest.mark.parametrize("secret", ["geheim", "a@b", "a/b:c", "q=w@e", "!$&"])
def test_a_password_in_a_proxy_address_never_leaves_the_host(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://user:{secret}@10.0.0.1:3128")
    monkeypatch.setenv("http_proxy", f"user:{secret}@10.0.0.1:3128")
    monkeypatch.setenv("no_proxy", "localhost")
    ran = HOST.run(ProxyFact().command).check()
    assert secret not in ran.stdout and "10.0.0.1:3128" in ran.stdout
    found = {proxy.name: proxy.value for proxy in ProxyFact().parse(ran.stdout) if proxy.place == "session"}
    assert found["https_proxy"].endswith("@10.0.0.1:3128") and found["no_proxy"] == "localhost"


class Answers(BaseHTTPRequestHandler):
    """404 for /missing, silence for /slow, else 200."""

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(SLOW_S + 1)
        self.send_response(404 if self.path == "/missing" else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """The address of a path on a small web server."""
    need("curl")
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield lambda url: url.replace("HERE", f"127.0.0.1:{httpd.server_port}")
        httpd.shutdown()


@pytest.mark.parametrize(
    ("url", "status", "failed"),
    [
        ("http://HERE/", 200, None),
        ("http://HERE/missing", 404, None),
        ("http://HERE/slow", None, Step.RESPONSE),
        ("https://HERE/", None, Step.TLS),
        ("https://no.such.host.invalid/", None, Step.DNS),
    ],
)
def test_egress(server: Callable[[str], str], url: str, status: int | None, failed: Step | None) -> None:
    found = look(HOST, EgressFact(server(url), SLOW_S))
    assert (found.status.value, found.failed) == (status, failed)
    assert (found.status.why_not == "") == (failed is None)
    assert found.total_s < SLOW_S + 1


def test_egress_to_a_closed_port() -> None:
    need("curl")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert look(HOST, EgressFact(f"http://127.0.0.1:{port}/", 2)).failed is Step.CONNECT


def test_no_part_of_an_address_reaches_the_shell(server: Callable[[str], str], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    url = server(f"http://HERE/$(touch${{IFS}}{mark})`touch${{IFS}}{mark}`';touch${{IFS}}{mark};'")
    assert look(HOST, EgressFact(url, 2)).status.value is not None
    assert not mark.exists()
