"""The Docker engine for all tests of this folder; without one they are skipped, and in CI they fail."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.hosts import docker
from tests.hosts.fleet import Fleet


@pytest.fixture(scope="session", autouse=True)
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Docker engine answers; one that was not there before is stopped at the end."""
    why = docker.missing()
    if why is not None:
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with docker.engine(tmp_path_factory.mktemp("docker")):
        yield


@pytest.fixture(scope="module")
def gpu_fleet() -> Iterator[Fleet]:
    """One Ubuntu-like host with eight H100, nothing installed."""
    with Fleet(1, os="ubuntu-24.04", gpu="h100-80gb", gpus=8) as fleet:
        yield fleet
