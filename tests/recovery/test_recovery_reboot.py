"""Kill, freeze and reboot over SSH on a host with real systemd, which brings watchdog, engine and gateway back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.recovery import network_cut, reboot
from tasks.recovery.engine_processes import processes
from tasks.recovery.playing import played
from tasks.recovery.scene import Scene, opened
from tests.hosts import docker
from tests.hosts.fleet import Fleet
from tests.hosts.machine import Machine
from tests.recovery.deployment import Deployment, declared

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
PORTS = (18001, 18002, 18000)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    why = docker.missing()
    if why is not None:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with docker.engine(tmp_path_factory.mktemp("docker")), Fleet(1) as fleet:
        yield fleet[0]


@pytest.fixture(scope="module")
def live(machine: Machine) -> Iterator[Deployment]:
    host = machine.host()
    spec = {"name": machine.name, "ssh": {"address": machine.address, "user": "ops"}, "root": "/opt/beachhead"}
    made = Deployment(host, declared(spec, PORTS), "/usr/bin/python3")
    made.up()
    yield made
    host.close()


@pytest.fixture
def scene(live: Deployment, tmp_path: Path) -> Scene:
    return opened(live.site(tmp_path / "run"), print)


@pytest.mark.parametrize("name", ["kill", "freeze"])
def test_the_watchdogs_unit_brings_the_engine_back(scene: Scene, name: str) -> None:
    before = processes(scene)
    done = played(scene, name)
    course = done.course
    assert course and course.took and course.back_s is not None and not course.helped and not course.left, done
    assert done.lost == () and done.meanwhile == "" and done.same_words is True and not done.unusable
    assert not {each.pid for each in before} & {each.pid for each in processes(scene)}
    owners = scene.host.run(f"ps -o user= -p {processes(scene)[0].pid}").check().stdout.split()
    assert owners == ["ops"], "the engine runs as our user, not as root"
    print(f"{name}: {course.back_s:.1f} s")


def test_after_a_reboot_it_answers_again(scene: Scene, machine: Machine) -> None:
    boot = machine.boot_id
    assert reboot.DRILL.why_not(scene) == ""
    done = played(scene, "reboot")
    course = done.course
    assert course and course.took and course.back_s is not None and not course.helped and not course.left, done
    assert machine.boot_id != boot
    assert done.lost == () and done.meanwhile == "" and done.same_words is True
    # A container is back within seconds: a question may have waited it out, and then it was answered.
    assert done.seen and 0 < done.seen.answered <= done.seen.asked
    assert (done.seen.without_s > 0) is (done.seen.answered < done.seen.asked), done.seen
    print(f"reboot: {course.back_s:.1f} s; {course.did}")


def test_what_the_host_lacks_is_not_played(scene: Scene) -> None:
    assert "nftables can't be asked" in network_cut.DRILL.why_not(scene)
    assert "root file system" in played(scene, "disk_full").why_not
