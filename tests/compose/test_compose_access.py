"""Hosts where Docker is missing, too old, or for root alone: on a scripted host, since this machine has it."""

from __future__ import annotations

import pytest

from tasks.facts.compose_version import ComposeVersionFact
from tasks.facts.container_image_present import ImagePresentFact
from tasks.facts.docker_access import DockerAccessFact
from tasks.fake import FakeHost
from tasks.operations.compose_usable import ComposeUsable, NoCompose
from tasks.operations.image import ImagePresent
from tests.compose.cases import IMAGE

ACCESS, VERSION, PRESENT = DockerAccessFact().command, ComposeVersionFact().command, ImagePresentFact(IMAGE).command


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ({ACCESS: "absent\n"}, "Docker is not installed"),
        ({ACCESS: "direct\n", VERSION: "absent\n"}, "no Compose plugin"),
        ({ACCESS: "direct\n", VERSION: "1.29.2\n"}, "Compose is 1.29, and 2.20"),
        ({ACCESS: "root\n", VERSION: "2.19.1\n"}, "Compose is 2.19"),
    ],
)
def test_a_host_without_compose_says_so(script: dict[str, str], what: str) -> None:
    with pytest.raises(NoCompose, match=what):
        list(ComposeUsable(declared=False).plan(FakeHost("h", script)))


def test_what_the_inventory_installs_is_not_missed_before() -> None:
    for script in (
        {ACCESS: "absent\n"},
        {ACCESS: "direct\n", VERSION: "absent\n"},
        {ACCESS: "root\n", VERSION: "5.0.2"},
    ):
        assert list(ComposeUsable(declared=True).plan(FakeHost("h", script))) == []


def test_docker_is_asked_as_root_where_our_user_may_not() -> None:
    for word, sudo in (("root", True), ("direct", False)):
        host = FakeHost("h", {ACCESS: word, PRESENT: "absent"})
        (step,) = ImagePresent(IMAGE).plan(host)
        assert [call.sudo for call in host.calls] == [False, sudo]
        assert (step.sudo, step.long, step.command) == (sudo, True, f"docker pull --quiet {IMAGE}")


def test_before_docker_is_there_the_pull_is_announced() -> None:
    assert len(list(ImagePresent(IMAGE).plan(FakeHost("h", {ACCESS: "absent"})))) == 1
