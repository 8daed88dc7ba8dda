"""Every real fault shows what it should while it lasts, and is gone afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.hosts import DeadlineExceeded, HostError, HostKeyChanged, SudoRefused, Unreachable
from tests.hosts import faults_network, faults_system
from tests.hosts.docker import EngineError
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine
from tests.hosts.spec import Disk

pytestmark = pytest.mark.e2e
SMALL = Disk("/data", mib=4, inodes=64)


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet(2, disk=SMALL) as up:
        yield up


@pytest.fixture
def machine(fleet: Fleet) -> Machine:
    return fleet[0]


def works(machine: Machine) -> bool:
    host = machine.host()
    try:
        return host.run("apt-get update -q", sudo=True).exit == 0
    finally:
        host.close()


def test_every_fault_of_the_list_has_a_test_here() -> None:
    text = Path(__file__).read_text()
    assert [name for name in faults_network.FAULTS | faults_system.FAULTS if f'fault("{name}"' not in text] == []


def test_an_unknown_fault_is_refused_with_the_list(machine: Machine) -> None:
    with pytest.raises(ValueError, match="link-down"):
        machine.fault("gremlins")


def test_link_down_cuts_a_new_and_an_open_connection(machine: Machine) -> None:
    host = machine.host(connect_timeout=2, keepalive_s=1)
    host.run("true").check()
    with machine.fault("link-down"):
        with pytest.raises((Unreachable, DeadlineExceeded)):
            host.run("true", timeout=1)
        with pytest.raises(Unreachable):
            machine.host(connect_timeout=2).run("true")
    assert works(machine)


def test_blackhole_cuts_this_machine_off_and_no_other(fleet: Fleet, machine: Machine) -> None:
    with machine.fault("blackhole"):
        with pytest.raises(Unreachable):
            machine.host(connect_timeout=2).run("true")
        assert "1 received" in fleet[1].run_in_container(f"ping -c1 -W2 {machine.address}")
    assert works(machine)


def test_slow_network_is_slow(machine: Machine) -> None:
    host, command = machine.host(), "head -c 100000 /dev/urandom | base64 -w0"

    def seconds() -> float:
        began = time.monotonic()
        assert len(host.run(command).stdout) == 133336
        return time.monotonic() - began

    quick = seconds()
    with machine.fault("slow-network", kbit=512):
        assert seconds() > 1.0
    assert quick < 1.0


def test_the_package_server_is_out_of_reach_for_one_host(fleet: Fleet, machine: Machine) -> None:
    with machine.fault("package-server-unreachable"):
        said = machine.host().run("apt-get update -q", sudo=True)
        assert "No route to host" in said.stdout + said.stderr
        assert "No route" not in fleet[1].run_in_container("apt-get update -q 2>&1")
    assert works(machine)


def test_the_package_server_is_gone_or_stalled_for_all(fleet: Fleet, machine: Machine) -> None:
    with fleet.packages_gone():
        assert "Could not connect" in machine.run_in_container("apt-get -o Acquire::http::Timeout=1 update -q 2>&1")
    with fleet.packages_stalled():
        said = machine.run_in_container("apt-get -o Acquire::http::Timeout=1 update -q 2>&1")
        assert "Failed to fetch" in said and "Connection failed" in said
    assert works(machine)


def test_the_package_lock_is_held_by_a_process_that_apt_names(machine: Machine) -> None:
    install = "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y libnccl2"
    with machine.fault("package-lock-held", by="apt-get"):
        refused = machine.host().run(install, sudo=True)
        assert refused.exit == 100 and "Could not get lock /var/lib/dpkg/lock-frontend" in refused.stderr
        assert "(apt-get)" in refused.stderr
    with machine.fault("unattended-upgrades"):
        refused = machine.host().run(install, sudo=True)
        assert "(unattended-upgr)" in refused.stderr
    with machine.fault("unattended-upgrades", seconds=2):
        waited = machine.host().run(install.replace("install", "-o DPkg::Lock::Timeout=30 install"), sudo=True)
        assert waited.exit == 0


def test_a_half_configured_package_stops_apt_until_it_is_repaired(machine: Machine) -> None:
    with machine.fault("half-configured"):
        assert "scripted-fragile" in machine.run_in_container("dpkg --audit")
        other = machine.host().run("DEBIAN_FRONTEND=noninteractive apt-get install -q -y libcudnn9-cuda-13", sudo=True)
        assert other.exit == 100 and "scripted-fragile" in other.stderr + other.stdout
    assert machine.run_in_container("dpkg --audit") == ""


def test_a_full_disk_refuses_bytes_and_a_disk_without_inodes_files(machine: Machine) -> None:
    write = "echo word >/data/word && cat /data/word && rm /data/word"
    with machine.fault("disk-full"):
        assert "No space left on device" in machine.host().run("head -c 100000 /dev/zero >/data/word").stderr
    machine.run_in_container("rm -f /data/word")
    with machine.fault("inodes-full"):
        assert "No space left on device" in machine.host().run(write).stderr
        free = machine.run_in_container("df --output=avail /data | tail -1")
        assert int(free) > 2000
    assert machine.host().run(write).stdout == "word\n"
    with pytest.raises(ValueError, match="small one"):
        machine.fault("disk-full", path="/").__enter__()


def test_a_changed_host_key_is_not_the_pinned_one(machine: Machine) -> None:
    with machine.fault("host-key-changed"), pytest.raises(HostKeyChanged):
        machine.host().run("true")
    assert works(machine)


def test_sudo_asks_for_a_password(machine: Machine) -> None:
    with machine.fault("sudo-password"), pytest.raises(SudoRefused):
        machine.host().run("true", sudo=True)
    assert works(machine)


def test_a_clock_a_day_late_makes_apt_refuse_the_repository(machine: Machine) -> None:
    true_time = time.time()
    with machine.fault("clock-skew", seconds=-86400):
        late = machine.host().run("date +%s; python3 -c 'import time; print(int(time.time()))'").stdout.split()
        assert all(abs(true_time - int(word) - 86400) < 120 for word in late)
        said = machine.host().run("apt-get update -q", sudo=True)
        assert "is not valid yet" in said.stdout + said.stderr
    assert abs(time.time() - int(machine.host().run("date +%s").stdout)) < 120
    assert works(machine)


def test_a_taken_port_has_an_owner(machine: Machine) -> None:
    with machine.fault("port-taken", port=8123):
        assert 'users:(("python3"' in machine.run_in_container("ss -Hltnp 'sport = :8123'")
        bind = "python3 -c 'import socket; socket.socket().bind((\"\", 8123))'"
        assert "Address already in use" in machine.host().run(bind).stderr
    assert machine.run_in_container("ss -Hltn 'sport = :8123'") == ""


def test_a_frozen_sshd_takes_the_connection_and_says_nothing(machine: Machine) -> None:
    with machine.fault("sshd-frozen"), pytest.raises(Unreachable):
        machine.host(connect_timeout=2).run("true")
    assert works(machine)


def test_a_reboot_in_mid_command_is_a_lost_connection(machine: Machine) -> None:
    before, host = machine.boot_id, machine.host()
    host.run("true").check()
    machine.reboot_after(0.5)
    with pytest.raises(Unreachable, match="not known"):
        host.run("sleep 30; echo done", timeout=40)
    machine.wait_for_boot(after=before)
    assert works(machine)


def test_killed_sessions_lose_the_command_but_not_the_server(machine: Machine) -> None:
    host = machine.host()
    host.run("true").check()
    killer = threading.Timer(1, machine.kill_ssh_sessions)
    killer.start()
    with pytest.raises(Unreachable):
        host.run("sleep 60", timeout=90)
    killer.join()
    assert works(machine)


def test_a_flood_of_output_is_cut_off(machine: Machine) -> None:
    with pytest.raises(HostError, match="more than"):
        machine.host().run("yes | head -c 300000000", timeout=60)


def test_the_console_says_what_went_wrong(machine: Machine) -> None:
    with pytest.raises(EngineError, match="exit status 3"):
        machine.run_in_container("echo why >&2; exit 3")
