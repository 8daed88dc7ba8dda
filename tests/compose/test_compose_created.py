"""What Docker makes of a plan, field by field, without starting it: no GPU is needed to create a container."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inventories.errors import BadInput
from tasks.compose.drift import differences
from tasks.compose.file import render
from tasks.facts.base import look
from tasks.facts.container import ContainerFact
from tasks.facts.container_image_present import ImagePresentFact
from tasks.facts.container_spec import Bind, Container, ContainerSpec
from tasks.hosts import CommandFailed
from tasks.local import LocalHost
from tasks.operations.base import converge
from tasks.operations.image import ImagePresent
from tests.compose import cases
from tests.compose.ground import ComposeGround
from tests.hosts.docker import docker

pytestmark = pytest.mark.e2e
HOST = LocalHost()
CHANGES = {
    "image": lambda s: replace(s, image=s.image.replace("/engine@", "/other@")),
    "program": lambda s: replace(s, program=("python3.11",)),
    "arguments": lambda s: replace(s, arguments=(*s.arguments, "--max-model-len", "1")),
    "release": lambda s: replace(s, release="ffffffffffff"),
    "env HF_HUB_OFFLINE": lambda s: replace(s, env={**s.env, "HF_HUB_OFFLINE": "0"}),
    "env NEW": lambda s: replace(s, env={**s.env, "NEW": "1"}),
    "env DO_NOT_TRACK": lambda s: replace(s, env={k: v for k, v in s.env.items() if k != "DO_NOT_TRACK"}),
    "user": lambda s: replace(s, user="1000:1000"),
    "binds": lambda s: replace(s, binds=(replace(s.binds[0], writable=True), *s.binds[1:])),
    "network": lambda s: replace(s, network="bridge"),
    "ports": lambda s: replace(s, ports=("8001/tcp",)),
    "ipc": lambda s: replace(s, ipc="host"),
    "shm_bytes": lambda s: replace(s, shm_bytes=1 << 30),
    "gpus": lambda s: replace(s, gpus=("nvidia:7",)),
    "health": lambda s: replace(s, health=replace(s.health, every_s=31)),
    "restart": lambda s: replace(s, restart="on-failure"),
    "log": lambda s: replace(s, log=replace(s.log, options={"max-size": "1m"})),
    "init": lambda s: replace(s, init=False),
    "security": lambda s: replace(s, security=()),
    "ulimits": lambda s: replace(s, ulimits={"nofile": 1024}),
}


@pytest.fixture(scope="module")
def created(ground: ComposeGround) -> Iterator[dict[str, tuple[ContainerSpec, Container]]]:
    """Plans by name, and what Docker created for each."""
    probe = ground.project.probe
    for path in (f"{ground.root}/tools", f"{ground.root}/secrets", f"{ground.root}/compose", f"{ground.root}/w"):
        Path(path).mkdir(exist_ok=True)
    Path(probe).write_text("")
    Path(ground.project.secrets).write_text("VLLM_API_KEY=not-to-be-seen\n")
    here = (Bind(probe, probe), Bind(f"{ground.root}/w", f"{ground.root}/w"))
    plans = {
        "engine-1": cases.spec(cases.inventory(image=ground.image)),
        "engine-2": cases.spec(cases.inventory("runtime", image=ground.image)),
        "engine-3": cases.spec(cases.inventory("cdi", image=ground.image)),
        "engine-4": cases.spec(cases.inventory(container={"image": ground.image, "ipc": "host", "user": "1000:1000"})),
        "gateway": cases.gateway(ground.image),
        "gateway-root": cases.gateway(ground.image, user=""),
    }
    plans = {
        name: replace(plan, binds=(here[0], replace(here[1], writable=plan.read_only))) for name, plan in plans.items()
    }
    Path(ground.project.file).write_text(render(ground.project, plans))
    words = ["docker", "compose", "-f", ground.project.file, "up", "--no-start", "--quiet-pull"]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    yield {name: (plan, live(ground, name, plan)) for name, plan in plans.items()}


def live(ground: ComposeGround, name: str, plan: ContainerSpec) -> Container:
    shown = tuple(key for key, value in plan.env.items() if value is not None)
    found = look(HOST, ContainerFact(ground.project.container(name), shown))
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["engine-1", "engine-2", "engine-3", "engine-4", "gateway", "gateway-root"])
def test_docker_creates_what_was_planned(name: str, created: dict[str, tuple[ContainerSpec, Container]]) -> None:
    plan, found = created[name]
    assert differences(plan, found) == ()
    assert found.state.status == "created"


@pytest.mark.parametrize("field", CHANGES)
def test_every_field_that_differs_is_named(field: str, created: dict[str, tuple[ContainerSpec, Container]]) -> None:
    plan, found = created["engine-2"]
    other = CHANGES[field](plan)  # type: ignore[no-untyped-call]
    assert [each.field for each in differences(other, found)] == [field]


def test_the_start_period_alone_starts_nothing_anew(created: dict[str, tuple[ContainerSpec, Container]]) -> None:
    plan, found = created["engine-1"]
    assert plan.health is not None
    assert differences(replace(plan, health=replace(plan.health, start_s=1)), found) == ()


def test_an_image_under_the_same_name_with_another_digest(
    created: dict[str, tuple[ContainerSpec, Container]],
) -> None:
    plan, found = created["engine-1"]
    swapped = replace(found, image=replace(found.image, digests=("other@sha256:" + "0" * 64,)))
    assert [each.field for each in differences(plan, swapped)] == ["image"]
    for unknown in (None, ()):  # docker image prune leaves the container its image and takes the name
        assert differences(plan, replace(found, image=replace(found.image, digests=unknown))) == ()


def test_no_value_of_a_secret_leaves_the_host(ground: ComposeGround, created: object) -> None:
    fact = ContainerFact(ground.project.container("engine-1"), ("HF_HUB_OFFLINE",))
    said = HOST.run(fact.command).check().stdout
    assert "VLLM_API_KEY" in said
    assert "not-to-be-seen" not in said
    assert "not-to-be-seen" in docker("inspect", ground.project.container("engine-1"))  # so that it could have


def test_an_image_is_pulled_by_its_digest_once(ground: ComposeGround, created: object) -> None:
    docker("rm", "--force", *(ground.project.container(f"engine-{n}") for n in (1, 2, 3, 4)), check=False)
    docker("rm", "--force", *(ground.project.container(each) for each in ("gateway", "gateway-root")), check=False)
    docker("rmi", ground.image)
    assert not look(HOST, ImagePresentFact(ground.image))
    assert len(converge(HOST, ImagePresent(ground.image)).steps) == 1
    assert converge(HOST, ImagePresent(ground.image)).steps == ()
    unknown = ground.image[:-64] + "0" * 64
    with pytest.raises(CommandFailed, match=r"manifest unknown|not found"):
        converge(HOST, ImagePresent(unknown))
    for bad in ("nginx:latest", "nginx", "a@sha256:12; reboot"):
        with pytest.raises(BadInput):
            ImagePresent(bad)
