"""Disk full, network cut and a lost link, over real SSH: a network and mount namespace of its own is the host.

The host's releases lie on a small tmpfs, so that writing past its end is a real ENOSPC; the fake engine serves.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.facts.base import look
from tasks.facts.disk import Disk, DiskFact
from tasks.hosts import HostError
from tasks.recovery import disk_full, guard, network_cut, playing
from tasks.recovery.guard import guarded
from tasks.recovery.playing import played
from tasks.recovery.scene import Scene, opened
from tests.multihost.namespaces import Pair, require, run
from tests.ports import free_port
from tests.recovery.deployment import Deployment, declared
from tests.watch.scene import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
SIZE_MIB = 48


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    require()
    with Pair(tmp_path_factory.mktemp("boxes"), tmp_path_factory.mktemp("drilled") / "host") as made:
        yield made


@pytest.fixture(scope="module")
def live(pair: Pair) -> Iterator[Deployment]:
    host = pair[0].host("box")
    spec = {"name": "box", "ssh": {"address": pair[0].address, "user": "root"}, "root": str(pair.root)}
    made = Deployment(host, declared(spec, (free_port(), free_port(), free_port())), sys.executable)
    host.run(f"mkdir -p {pair.root}/releases && {small(f'{pair.root}/releases')}").check()
    try:
        made.up()
        yield made
    finally:
        made.down()
        host.close()


def small(path: str) -> str:
    """Shell: a small file system there."""
    return f"mount -t tmpfs -o size={SIZE_MIB}m tmpfs {path}"


@pytest.fixture
def scene(live: Deployment, tmp_path: Path) -> Scene:
    return opened(live.site(tmp_path / "run"), print)


def free(scene: Scene) -> int:
    return look(scene.host, DiskFact(f"{scene.root}/releases")).free_bytes


def test_a_full_disk_is_endured_and_is_empty_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    before, wrote, look_at = free(scene), list[int](), disk_full._disk

    def looking(of: Scene) -> Disk:
        found = look_at(of)
        if found.free_bytes < disk_full.FULL_BYTES:
            wrote.append(of.host.run(f"head -c 100000 /dev/zero > {of.root}/releases/more").exit)
        return found

    monkeypatch.setattr(disk_full, "_disk", looking)
    done = played(scene, "disk_full")
    assert wrote == [1], "to write there is a real ENOSPC"
    course = done.course
    assert course and course.took is True and not course.left and not course.helped, done
    assert course.back_s is not None and course.back_s < 20
    assert done.seen and done.seen.asked == done.seen.answered and done.lost == () and done.same_words
    assert free(scene) > before - (1 << 20)


def test_more_than_is_allowed_is_not_filled(live: Deployment, scene: Scene, tmp_path: Path) -> None:
    scene.host.run(f"mount -t tmpfs -o size=3g tmpfs {scene.root}/releases").check()
    try:
        content = {**live.content, "recovery": {"drills": ["disk_full"], "fill_gib": 1}}
        scene.site.inventory = Deployment(live.host, content, live.python).inventory
        assert "recovery.fill_gib allows 1" in disk_full.DRILL.why_not(scene)
    finally:
        scene.host.run(f"umount {scene.root}/releases").check()


def test_a_cut_port_is_closed_and_open_again(scene: Scene) -> None:
    done = played(scene, "network_cut")
    course = done.course
    assert course and course.took is True and not course.left and not course.helped, done
    assert course.back_s is not None and course.back_s < 20
    assert done.seen and done.seen.without_s >= 6 and done.same_words
    assert network_cut.TABLE not in scene.host.run("nft list tables").stdout


def test_the_kernel_opens_the_port_again_where_nobody_does(scene: Scene) -> None:
    assert scene.asked()
    scene.host.run(network_cut.cut(scene.inventory.serving.live_port, 15)).check()
    try:
        assert not scene.asked()  # for ten seconds
        until(scene.asked, 30, "the element has timed out")
    finally:
        scene.host.run(network_cut.mend()).check()


def test_a_link_that_is_lost_midway_leaves_the_disk_empty(
    pair: Pair, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "SILENCE_S", 3.0)
    before, cable = free(scene), f"bh{pair.tag}h0"
    hold = f"exec 9<> {scene.root}/releases/x && rm {scene.root}/releases/x"
    with pytest.raises(HostError), guarded(scene, "true", 12, hold=hold) as on:
        scene.host.run(f"fallocate -l {before - (2 << 20)} /proc/{on.holder}/fd/9").check()
        assert free(scene) < 4 << 20
        run("ip", "link", "set", cable, "down")
        began = time.monotonic()
        scene.host.close()
        scene.host.run("true", timeout=3)
    try:
        assert "the host does it within 12 s" in on.left
    finally:
        run("ip", "link", "set", cable, "up")
    until(lambda: free(scene) > before - (2 << 20), 30)
    print(f"undone {time.monotonic() - began:.1f} s after the link was cut")


def test_a_full_root_is_endured_by_a_watchdog_without_systemd(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playing, "WATCHED_S", 5.0)
    host = pair[1].host("box")
    host.run(small(str(pair.root))).check()
    spec = {"name": "box", "ssh": {"address": pair[1].address, "user": "root"}, "root": str(pair.root)}
    made = Deployment(host, declared(spec, (free_port(), free_port(), free_port())), sys.executable)
    try:
        made.up()
        done = played(opened(made.site(tmp_path / "run"), print), "disk_full")
        assert done.course and done.course.took is True
        assert done.seen and done.seen.asked == done.seen.answered
        print(done.lost, host.run(f"tail -n 4 {made.root}/watch/watch.log").stdout)
        assert done.lost == ()
    finally:
        made.down()
        host.close()
