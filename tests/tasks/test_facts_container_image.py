"""Which image an engine's container has."""

import shutil
import subprocess

import pytest

from tasks.facts.container_image import ContainerImageFact
from tasks.hosts import HostError

IMAGE = f"registry.example/vllm@sha256:{'ab' * 32}"


def test_the_id_that_docker_prints() -> None:
    """As `docker image inspect --format '{{.Id}}'` of Docker 20.10 prints it."""
    assert ContainerImageFact("vllm", IMAGE).parse(f"sha256:{'3f2a' * 16}\n") == "vllm, image 3f2a3f2a3f2a"


@pytest.mark.parametrize("said", ["", "[]", "sha256:3f2a", "Error: No such image"])
def test_anything_else_is_not_understood(said: str) -> None:
    with pytest.raises(HostError):
        ContainerImageFact("vllm", IMAGE).parse(said)


@pytest.mark.skipif(shutil.which("dash") is None, reason="no dash here")
def test_a_hostile_name_stays_one_word() -> None:
    command = ContainerImageFact("vllm", "a; touch /tmp/x; $(id)").command
    assert subprocess.run(["dash", "-n", "-c", command], check=False).returncode == 0
    assert "'a; touch /tmp/x; $(id)'" in command
