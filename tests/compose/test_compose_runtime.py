"""The Compose runtime on a real Docker engine, with a fake engine inside: starts, drifts, the way back."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.compose.names import engine_service
from tasks.facts.base import look
from tasks.facts.container import ContainerFact
from tasks.operations.compose_container import NameTaken
from tasks.operations.service import PortTaken
from tasks.releases import Slot
from tasks.runtimes.compose import RUNTIME, log_file
from tasks.site import Site
from tests.compose.engines import KEY, bring, fake, left, ready
from tests.compose.ground import FAKE, HOST, ComposeGround
from tests.hosts.docker import docker

pytestmark = pytest.mark.e2e


def test_it_runs_answers_and_goes(ground: ComposeGround, site: Site) -> None:
    release, slot = fake(ground, "a")
    assert len(bring(site, RUNTIME.running(site, release, slot)).steps) >= 3
    assert left(site, RUNTIME.running(site, release, slot)) == []
    ready(site, slot)
    assert RUNTIME.state(site, slot).running
    assert "fake engine on port" in RUNTIME.log(site, slot)
    name = ground.project.container(engine_service(slot))
    assert docker("port", name) == ""
    assert docker("inspect", "--format", "{{.HostConfig.NetworkMode}}", name) == "host"
    assert len(bring(site, RUNTIME.stopped(site, slot)).steps) == 2
    assert left(site, RUNTIME.stopped(site, slot)) == []
    assert (RUNTIME.state(site, slot).running, RUNTIME.state(site, slot).exit) == (False, None)
    assert "fake engine on port" in RUNTIME.log(site, slot)  # what it said is kept
    assert Path(log_file(str(ground.root), slot)).exists()


def test_the_key_is_in_no_file_but_its_own_and_in_no_record(ground: ComposeGround, site: Site) -> None:
    release, slot = fake(ground, "a")
    bring(site, RUNTIME.running(site, release, slot))
    ready(site, slot)
    RUNTIME.log(site, slot)
    holding = [path for path in ground.folder.rglob("*") if path.is_file() and KEY in path.read_text(errors="replace")]
    assert holding == [ground.root / "secrets" / "engine.env"]
    pid = docker("inspect", "--format", "{{.State.Pid}}", ground.project.container(engine_service(slot)))
    assert KEY not in Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda name: docker("update", "--restart", "no", name), "restart: planned unless-stopped, found no"),
        (lambda name: docker("stop", "--time", "1", name), "it is exited"),
        (lambda name: docker("rm", "--force", name), "it is not there"),
    ],
    ids=["restart policy", "stopped", "removed"],
)
def test_what_was_changed_behind_our_back_is_named_and_mended(
    change: Callable[[str], str], named: str, ground: ComposeGround, site: Site
) -> None:
    release, slot = fake(ground, "a")
    bring(site, RUNTIME.running(site, release, slot))
    change(ground.project.container(engine_service(slot)))
    (why,) = bring(site, RUNTIME.running(site, release, slot)).steps
    assert named in why
    assert left(site, RUNTIME.running(site, release, slot)) == []
    ready(site, slot)


def test_a_container_made_by_hand_from_our_file_is_found_out(ground: ComposeGround, site: Site) -> None:
    release, slot = fake(ground, "a")
    bring(site, RUNTIME.running(site, release, slot))
    file = Path(ground.project.file)
    text = file.read_text()
    other = text
    for planned, changed in (('max-size: "50m"', 'max-size: "1m"'), ('PYTHONUNBUFFERED: "1"', 'PYTHONUNBUFFERED: "0"')):
        assert planned in other
        other = other.replace(planned, changed)
    file.write_text(other)
    assert site.host(HOST).run(f"docker compose -f {file} up -d").exit == 0
    write, start = bring(site, RUNTIME.running(site, release, slot)).steps
    assert "Compose file" in write
    assert "log: " in start and "env PYTHONUNBUFFERED: planned '1', found '0'" in start
    assert file.read_text() == text


def test_a_release_starts_again_as_it_was_whatever_the_inventory_says_now(ground: ComposeGround, site: Site) -> None:
    release, slot = fake(ground, "f")
    bring(site, RUNTIME.running(site, release, slot))
    other = ground.site(container={"image": ground.image, "shm_gib": 1, "program": "python3"})
    assert left(other, RUNTIME.running(other, release, slot)) == []  # nor is one that runs started anew
    bring(other, RUNTIME.stopped(other, slot))
    bring(other, RUNTIME.running(other, release, slot))
    ready(other, slot)
    found = look(other.host(HOST), ContainerFact(ground.project.container(engine_service(slot))))
    assert found is not None
    assert found.spec.shm_bytes == 256 << 20
    assert str(FAKE) in [bind.source for bind in found.spec.binds]
    assert not any(bind.writable for bind in found.spec.binds)


def test_two_releases_side_by_side(ground: ComposeGround, site: Site) -> None:
    old, first = fake(ground, "a")
    new, second = fake(ground, "b")[0], Slot("b" * 12, ground.ports[1])
    bring(site, RUNTIME.running(site, old, first))
    began = docker("inspect", "--format", "{{.State.StartedAt}}", ground.project.container(engine_service(first)))
    bring(site, RUNTIME.running(site, new, second))
    ready(site, first)
    ready(site, second)
    assert left(site, RUNTIME.running(site, old, first)) == []
    bring(site, RUNTIME.stopped(site, second))
    after = docker("inspect", "--format", "{{.State.StartedAt}}", ground.project.container(engine_service(first)))
    assert after == began
    services = re.findall(r"^  (\S+):$", Path(ground.project.file).read_text(), re.M)
    assert services == [engine_service(first)]


def test_a_port_or_a_name_of_somebody_else_is_left_alone(ground: ComposeGround, site: Site) -> None:
    release, slot = fake(ground, "a")
    with socket.create_server(("127.0.0.1", slot.port)), pytest.raises(PortTaken):
        bring(site, RUNTIME.running(site, release, slot))
    name = ground.project.container(engine_service(slot))
    docker("create", "--name", name, ground.image, "true")
    try:
        for operation in (RUNTIME.running(site, release, slot), RUNTIME.stopped(site, slot)):
            with pytest.raises(NameTaken):
                bring(site, operation)
        assert json.loads(docker("inspect", name))[0]["State"]["Status"] == "created"
    finally:
        docker("rm", name)
