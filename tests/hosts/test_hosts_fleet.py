"""Fleets come up, are what was ordered, survive reboots, and leave nothing behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventories.load import load
from tasks.hosts import SudoRefused
from tests.hosts import docker
from tests.hosts.fleet import Fleet
from tests.hosts.owners import reap
from tests.hosts.spec import Disk, Spec

pytestmark = pytest.mark.e2e
SPECS = [
    Spec(disk=Disk("/data", mib=16)),
    Spec(os="ubuntu-24.04", sudo="password", gpu="a100-80gb", gpus=4),
    Spec(os="rhel-9", sudo="none", repository=False),
]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with Fleet(specs=SPECS) as up:
        yield up


def test_each_host_answers_at_its_own_address_with_systemd_up(fleet: Fleet) -> None:
    for machine in fleet:
        host = machine.host()
        said = host.run("cat /proc/1/comm; hostname; hostname -I").check().stdout.split()
        assert said == ["systemd", machine.name, machine.address]
        state = host.run("systemctl is-system-running --wait; systemctl --failed --no-legend").stdout
        assert state.strip() == "running"
        host.close()


def test_os_release_says_what_was_ordered_and_the_marker_says_what_is_scripted(fleet: Fleet) -> None:
    names = [m.run_in_container(". /etc/os-release; echo $ID $VERSION_ID") for m in fleet]
    assert names == ["debian 12", "ubuntu 24.04", "rhel 9.6"]
    markers = [m.run_in_container("cat /etc/beachhead-simulated") for m in fleet]
    assert all("kernel name, boot id" in marker for marker in markers)
    assert ["4x a100-80gb" in marker for marker in markers] == [False, True, False]
    assert ["os-release says" in marker for marker in markers] == [False, True, True]


def test_sudo_is_free_or_wants_a_password_or_refuses(fleet: Fleet) -> None:
    free, asking, refusing = (machine.host() for machine in fleet)
    assert free.run("id -u", sudo=True).stdout.strip() == "0"
    assert asking.run("id -u", sudo=True).stdout.strip() == "0"
    with pytest.raises(SudoRefused, match="password"):
        fleet[1].host(sudo_password=None).run("id -u", sudo=True)
    with pytest.raises(SudoRefused):
        refusing.run("id -u", sudo=True)


def test_reboot_changes_the_boot_id_and_keeps_the_disks(fleet: Fleet) -> None:
    machine = fleet[0]
    host = machine.host()
    host.run("echo kept >/data/file; echo kept >~/file; sudo touch /run/gone").check()
    before = host.run("cat /proc/sys/kernel/random/boot_id").stdout
    host.close()
    machine.reboot()
    after = machine.host().run("cat /proc/sys/kernel/random/boot_id /data/file ~/file; test -e /run/gone").stdout
    assert after.split()[1:] == ["kept", "kept"] and after.split()[0] != before.strip()
    assert machine.run_in_container("test -e /run/gone && echo there || echo gone") == "gone"


def test_power_loss_is_abrupt_and_the_host_comes_back(fleet: Fleet) -> None:
    machine, before = fleet[0], fleet[0].boot_id
    machine.power_off()
    assert docker.docker("inspect", "--format", "{{.State.Running}}", machine.container) == "false"
    machine.power_on()
    assert machine.boot_id != before
    assert machine.host().run("true").exit == 0


def test_the_product_reads_the_fleets_inventory(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / f"{fleet.name}.yaml"
    file.write_text(fleet.inventory())
    read = load(str(file))
    assert [host.ssh.address for host in read.hosts if host.ssh] == [machine.address for machine in fleet]
    assert [host.gpus for host in read.hosts] == [0, 4, 0]


def test_impossible_orders_are_refused() -> None:
    for wrong in ({"os": "beos"}, {"gpu": "voodoo2", "gpus": 1}, {"gpu": "h200"}, {"gpus": 4}):
        with pytest.raises(ValueError, match=r"is none of|go together"):
            Spec(**wrong)


def test_the_end_of_a_fleet_leaves_nothing() -> None:
    with Fleet(1, disk=Disk("/data", mib=8)) as fleet:
        name, folder = fleet.name, fleet.folder
        assert len(docker.labelled("ps", name)) == 3  # the host, the package server, the keeper of the disk
        assert docker.labelled("volume", name)
    assert [docker.labelled(kind, name) for kind in ("ps", "network", "volume")] == [[], [], []]
    assert not folder.exists()


def test_a_fleet_of_a_killed_process_is_reaped_and_a_living_one_is_not(fleet: Fleet) -> None:
    code = (
        "import os, signal; from tests.hosts.fleet import Fleet; f = Fleet(1); f.up();"
        "print(f.name, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    orphan = killed.stdout.strip()
    assert killed.returncode == -9 and docker.labelled("ps", orphan)
    assert reap() == [orphan]
    assert not docker.labelled("ps", orphan) and not docker.labelled("network", orphan)
    assert docker.labelled("ps", fleet.name)
