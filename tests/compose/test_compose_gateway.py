"""The gateway in a container: real nginx with its perl module before fake engines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.compose.names import GATEWAY, engine_service
from tasks.operations.base import converge
from tasks.operations.compose_service import ServiceGone
from tasks.readiness import NotReady, answers
from tasks.releases import Release, Slot
from tasks.runtimes.compose import RUNTIME
from tasks.site import Site
from tests.compose.ground import FAKE, HOST, ComposeGround
from tests.compose.registry import Registry
from tests.hosts.docker import docker

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def shown(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ComposeGround, Site]]:
    """Two fake engines behind one gateway."""
    folder = tmp_path_factory.mktemp("gateway-ground")
    with pytest.MonkeyPatch.context() as patch, ComposeGround(folder, registry, gateway=True) as ground:
        patch.setenv("BEACHHEAD_HOME", str(folder / "home"))
        patch.setenv("BEACHHEAD_ENGINE_KEY", "engine-key-of-the-tests")
        site = ground.site()
        for operation in RUNTIME.install(site.inventory, site.head):
            converge(site.host(HOST), operation)
        (ground.root / "secrets").mkdir(exist_ok=True)
        (ground.root / "secrets" / "engine.env").write_text("VLLM_API_KEY=engine-key-of-the-tests\n")
        (ground.root / "models").mkdir(exist_ok=True)
        for number, port in enumerate(ground.ports[:2]):
            arguments = (str(FAKE), "--port", "{port}", "--says", f"number {number} answers you here and now")
            id_ = "ab"[number] * 12
            release = Release(id_, "fake", "none", "0" * 40, f"{ground.root}/models", "python3", arguments, {})
            converge(site.host(HOST), RUNTIME.running(site, release, Slot(id_, port)))
        yield ground, site


def show(site: Site, slot: Slot | None) -> list[str]:
    return [step for each in RUNTIME.gateway(site, slot) for step in converge(site.host(HOST), each).steps]


def said(site: Site, port: int) -> str:
    with site.client(port, timeout=10) as client:
        return client.chat("Say one sentence.", max_tokens=8).content


def test_it_shows_one_engine_then_the_other_without_a_restart(shown: tuple[ComposeGround, Site]) -> None:
    ground, site = shown
    live, started = ground.ports[2], "{{.State.StartedAt}} {{.RestartCount}}"
    assert any("start gateway" in step for step in show(site, Slot("a" * 12, ground.ports[0])))
    assert show(site, Slot("a" * 12, ground.ports[0])) == []
    answers(site, live)
    assert said(site, live).startswith("number 0")
    name = ground.project.container(GATEWAY)
    before = docker("inspect", "--format", started, name)
    assert any("reload" in step for step in show(site, Slot("b" * 12, ground.ports[1])))
    assert said(site, live).startswith("number 1")
    assert docker("inspect", "--format", started, name) == before
    assert docker("port", name) == ""


def test_after_a_reload_docker_still_starts_it_again(shown: tuple[ComposeGround, Site]) -> None:
    ground, site = shown
    show(site, Slot("a" * 12, ground.ports[0]))
    show(site, Slot("b" * 12, ground.ports[1]))
    name = ground.project.container(GATEWAY)
    docker("exec", name, "/bin/sh", "-c", 'kill -9 "$(cat "$0")"', f"{ground.root}/gateway/run/nginx.pid")
    deadline = time.monotonic() + 20
    while docker("inspect", "--format", "{{.RestartCount}} {{.State.Running}}", name) != "1 true":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    while True:  # running is not yet listening
        try:
            answers(site, ground.ports[2])
            break
        except NotReady:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert show(site, Slot("b" * 12, ground.ports[1])) == []


def test_an_engine_that_restarts_leaves_the_gateway_alone(shown: tuple[ComposeGround, Site]) -> None:
    ground, site = shown
    show(site, Slot("b" * 12, ground.ports[1]))
    docker("restart", "--time", "1", ground.project.container(engine_service(Slot("b" * 12, ground.ports[1]))))
    assert show(site, Slot("b" * 12, ground.ports[1])) == []


def test_it_can_write_nowhere_else_and_goes(shown: tuple[ComposeGround, Site]) -> None:
    ground, site = shown
    show(site, None)
    name = ground.project.container(GATEWAY)
    denied = docker("exec", name, "/bin/sh", "-c", "touch /etc/x /usr/x 2>&1; echo", check=False)
    assert denied.count("Read-only file system") == 2
    gone = ServiceGone(ground.project, GATEWAY, f"{ground.root}/gateway/container.log")
    assert len(converge(site.host(HOST), gone).steps) == 2
    assert "gateway:" not in Path(ground.project.file).read_text()
