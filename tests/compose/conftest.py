"""A Docker engine, its Compose plugin, a registry: where one can't be had tests are skipped, and in CI they fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.operations.base import converge
from tasks.releases import Slot
from tasks.runtimes.compose import RUNTIME
from tasks.site import Site
from tests.compose.engines import KEY, bring
from tests.compose.ground import HOST, ComposeGround, docker_on_path
from tests.compose.registry import Registry
from tests.compose.tools import ToolMissing
from tests.hosts import docker as engine


def _unless_ci(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`docker` in this folder knows `docker compose`; no engine is needed for `docker compose config`."""
    try:
        yield docker_on_path(tmp_path_factory.mktemp("docker-cli"))
    except ToolMissing as missing:
        _unless_ci(str(missing))


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry beside a Docker engine; an engine that was not there before is stopped at the end."""
    why = engine.missing()
    if why is not None:
        _unless_ci(why)
    folder = tmp_path_factory.mktemp("registry")
    with engine.engine(folder):
        try:
            running = Registry(folder).__enter__()
        except ToolMissing as missing:
            _unless_ci(str(missing))
        try:
            yield running
        finally:
            running.__exit__()


@pytest.fixture(scope="module")
def ground(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeGround]:
    """A ground for fake engines."""
    with ComposeGround(tmp_path_factory.mktemp("ground"), registry) as made:
        yield made


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The engines' own key, and a home for what the product keeps."""
    monkeypatch.setenv("BEACHHEAD_ENGINE_KEY", KEY)
    monkeypatch.setenv("BEACHHEAD_HOME", str(tmp_path))


@pytest.fixture
def site(ground: ComposeGround, key: None) -> Iterator[Site]:
    """A prepared site over the ground; its slots are empty again afterwards."""
    made = ground.site()
    for operation in RUNTIME.install(made.inventory, made.head):
        converge(made.host(HOST), operation)
    secrets = ground.root / "secrets"
    secrets.mkdir(exist_ok=True, mode=0o700)
    (secrets / "engine.env").write_text(f"VLLM_API_KEY={KEY}\n")
    yield made
    for port in ground.ports[:2]:
        bring(made, RUNTIME.stopped(made, Slot("any", port)))
