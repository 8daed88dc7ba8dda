"""Facts about containers, on recorded output of a real Docker."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.compose.drift import differences
from tasks.facts.base import NotUnderstood
from tasks.facts.compose_version import ComposeVersionFact
from tasks.facts.container import ContainerFact
from tasks.facts.container_image_present import ImagePresentFact
from tasks.facts.container_log import ContainerLogFact
from tasks.facts.container_spec import Bind, Container
from tasks.facts.container_user import FolderOwnerFact
from tasks.facts.docker_access import DockerAccess, DockerAccessFact

RECORDED = Path(__file__).with_name("recorded")
FACT = ContainerFact("beachhead-engine-8001", ("PYTHONUNBUFFERED",))


def recorded(name: str) -> str:
    return (RECORDED / name).read_text()


def container(name: str) -> Container:
    found = FACT.parse(recorded(name))
    assert found is not None
    return found


def test_a_running_container() -> None:
    found = container("running.txt")
    assert (found.project, found.service, found.spec.release) == ("beachhead", "engine-8001", "a" * 12)
    assert found.spec.env == {"VLLM_API_KEY": None, "PYTHONUNBUFFERED": "1"}
    assert found.spec.arguments == ("/opt/beachhead/fake_engine.py", "--port", "8001")
    assert found.spec.binds[1] == Bind("/opt/beachhead/models", "/opt/beachhead/models")
    assert (found.spec.network, found.spec.ports, found.spec.shm_bytes) == ("host", (), 256 << 20)
    assert found.spec.health is not None
    assert (found.spec.health.every_s, found.spec.health.start_s, found.spec.health.failures) == (2, 300, 2)
    assert (found.state.status, found.state.health, found.state.restarts) == ("running", "healthy", 0)
    assert found.spec.image in (found.image.digests or ())


def test_one_in_a_restart_loop_and_one_that_is_not_there() -> None:
    state = container("restarting.txt").state
    assert (state.status, state.exit, state.there, state.health) == ("restarting", 2, True, "unhealthy")
    assert state.restarts == 3
    assert FACT.parse(recorded("absent.txt")) is None


def test_an_image_that_was_untagged_under_a_running_container_is_no_difference() -> None:
    planned, untagged = container("running.txt").spec, container("image-gone.txt")
    assert untagged.image.digests == ()
    assert differences(planned, untagged) == ()
    other = replace(planned, image=planned.image[:-1] + "0")
    assert [each.field for each in differences(other, untagged)] == ["image"]


def test_gpus_tmpfs_and_volumes_are_read() -> None:
    head, _, rest = recorded("running.txt").removeprefix("@@ container\n").partition("\n")
    raw = json.loads(head)
    raw["DeviceRequests"] = [
        {"Driver": "cdi", "Count": 0, "DeviceIDs": ["nvidia.com/gpu=1"], "Capabilities": None, "Options": None},
        {"Driver": "", "Count": -1, "DeviceIDs": None, "Capabilities": [["gpu"]], "Options": {}},
    ]
    raw["Tmpfs"] = {"/tmp": "", "/run": "size=1m"}
    raw["RestartPolicy"] = {"Name": "on-failure", "MaximumRetryCount": 3}
    raw["mounts"] = [{"Type": "volume", "Name": "v", "Source": "/var/lib/docker/x", "Destination": "/v", "RW": True}]
    raw["health"] = {"Test": ["NONE"]}
    found = FACT.parse(f"@@ container\n{json.dumps(raw)}\n{rest}")
    assert found is not None
    assert found.spec.gpus == ("cdi:nvidia.com/gpu=1", "gpu:count=-1")
    assert (found.spec.tmpfs, found.spec.restart, found.spec.health) == (("/run", "/tmp"), "on-failure:3", None)
    assert found.spec.binds == (Bind("volume:v", "/v", writable=True),)


@pytest.mark.parametrize("text", ["", "x", "@@ container\n{}\n@@ image\ngone", "@@ container\n[]\n@@ image\n{}"])
def test_what_is_not_docker_inspects_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        FACT.parse(text)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_half_an_answer_is_not_understood(cut: float) -> None:
    whole = recorded("running.txt").rstrip()
    with pytest.raises(NotUnderstood):
        FACT.parse(whole[: int(len(whole) * cut)])


def test_the_small_facts() -> None:
    assert (ContainerLogFact("x").parse(recorded("log.txt")) or "").startswith("fake engine on port 8001\n")
    assert ContainerLogFact("x").parse("absent\n") is None
    assert DockerAccessFact().parse(recorded("access.txt")) is DockerAccess.DIRECT
    assert (DockerAccess.ROOT.needs_root, DockerAccess.DIRECT.needs_root) == (True, False)
    assert ComposeVersionFact().parse(recorded("compose.txt")) == (2, 26)
    assert ComposeVersionFact().parse("v5.0.2\n") == (5, 0)
    assert ComposeVersionFact().parse("absent") is None
    assert ImagePresentFact("x").parse("absent\n") is False
    assert FolderOwnerFact("/x").parse("1000:998\n") == "1000:998"
    assert FolderOwnerFact("/x").parse("0:0\n") == ""
    for fact in (
        ContainerLogFact("x"),
        DockerAccessFact(),
        ComposeVersionFact(),
        ImagePresentFact("x"),
        FolderOwnerFact("/"),
    ):
        with pytest.raises(NotUnderstood):
            fact.parse("nothing of the kind")
