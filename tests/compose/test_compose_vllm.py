"""Real vLLM for CPU in containers: two releases side by side, asked through their slots, then taken away.

$BEACHHEAD_TEST_VLLM_PYTHON names an interpreter that has vLLM already, which saves the installation.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import environment
from inventories.load import load
from rehearsal.checkpoint import checkpoints
from tasks.compose.names import engine_service
from tasks.engines.base import engine
from tasks.gateway.secrets import engine_key
from tasks.local import LocalHost
from tasks.operations.base import converge
from tasks.readiness import wait_ready
from tasks.releases import Slot, wanted
from tasks.runtimes.compose import RUNTIME
from tasks.site import Site
from tests.compose.ground import HOST, ComposeGround
from tests.compose.registry import Registry
from tests.hosts.docker import docker

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
BUDGET_S = 400


def vllm_python(folder: Path) -> Path:
    """The named interpreter, or one that the product itself installs."""
    named = os.environ.get("BEACHHEAD_TEST_VLLM_PYTHON")
    if named:
        return Path(named)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEACHHEAD_CHECKOUT", str(folder))
        patch.setenv("BEACHHEAD_FIND_LINKS", environment.find_links())
        inventory = load("rehearsal")
    kind, spec = engine("vllm"), inventory.hosts[0]
    for operation in kind.install(inventory, spec):
        converge(LocalHost(), operation)
    return Path(kind.python(inventory, spec))


@pytest.fixture(scope="module")
def serving(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ComposeGround, list[Site]]]:
    """A site for each of two releases, which differ in their context."""
    folder = tmp_path_factory.mktemp("vllm-ground")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEACHHEAD_HOME", str(folder / "home"))
        with ComposeGround(folder, registry, python=vllm_python(folder)) as ground:
            revision = ground.put(checkpoints()[0])
            sites = [ground.site(revision=revision, context_tokens=tokens) for tokens in (4096, 4352)]
            for operation in RUNTIME.install(sites[0].inventory, sites[0].head):
                converge(sites[0].host(HOST), operation)
            (ground.root / "secrets").mkdir(mode=0o700)
            (ground.root / "secrets" / "engine.env").write_text(f"VLLM_API_KEY={engine_key(sites[0])}\n")
            yield ground, sites


def test_two_releases_of_real_vllm(serving: tuple[ComposeGround, list[Site]]) -> None:
    ground, sites = serving
    slots = []
    for site, port in zip(sites, ground.ports, strict=False):
        release = wanted(site.inventory, site.head)
        slot = Slot(release.id, port)
        began = time.monotonic()
        converge(site.host(HOST), RUNTIME.running(site, release, slot))
        wait_ready(site, RUNTIME, slot, budget_s=BUDGET_S, say=lambda _: None)
        print(f"release {release.id}: first completion after {time.monotonic() - began:.0f} s")
        assert [step.why for step in RUNTIME.running(site, release, slot).plan(site.host(HOST))] == []
        slots.append(slot)
    first, second = slots
    assert first.release != second.release
    for site, slot, tokens in zip(sites, slots, (4096, 4352), strict=True):
        with site.client(slot.port) as client:
            assert client.call("GET", "/v1/models", key=False).status == 401
            models = client.call("GET", "/v1/models")
        assert f'"max_model_len":{tokens}' in models.text.replace(" ", "")
        assert "KV cache size" in RUNTIME.log(site, slot)
        assert _healthy(ground, slot)
        assert _listening_elsewhere(ground, slot) == []
    converge(sites[0].host(HOST), RUNTIME.stopped(sites[0], first))
    wait_ready(sites[1], RUNTIME, second, budget_s=30, say=lambda _: None)
    assert RUNTIME.state(sites[1], second).restarts == 0
    assert not RUNTIME.state(sites[0], first).running


def _healthy(ground: ComposeGround, slot: Slot) -> bool:
    """Docker's own probe, a completion inside the container, comes to the same end."""
    asked = ("inspect", "--format", "{{.State.Health.Status}}", ground.project.container(engine_service(slot)))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and docker(*asked) != "healthy":
        time.sleep(1)
    return docker(*asked) == "healthy"


def _listening_elsewhere(ground: ComposeGround, slot: Slot) -> list[str]:
    """TCP sockets of the container's processes that listen on another address than loopback."""
    pids = docker("top", ground.project.container(engine_service(slot)), "-o", "pid").split()[1:]
    inodes = set()
    for pid in pids:
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            if found := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd)):
                inodes.add(found[1])
    rows = [line.split() for file in ("tcp", "tcp6") for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]]
    mine = [row for row in rows if row[3] == "0A" and row[9] in inodes]
    assert mine, "nothing listens: the look is wrong"
    loopback = ("0100007F", "00000000000000000000000001000000")
    return [row[1] for row in mine if row[1].partition(":")[0] not in loopback]
