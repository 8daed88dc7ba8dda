"""What Ray, ip and the environments print, recorded, and everything else that they might."""

from pathlib import Path

import pytest

from tasks.facts.base import NotUnderstood
from tasks.facts.ray_interface import InterfaceOfAddressFact
from tasks.facts.ray_nodes import RayNodesFact, RayNodeState
from tasks.facts.ray_status import RayStatus, RayStatusFact
from tasks.facts.ray_versions import NodeVersions, NodeVersionsFact, differences

FOLDER = Path(__file__).parents[1] / "recorded" / "ray-2.60.0"
STATUS = RayStatusFact("python", "10.0.0.1:6379")
NODES = RayNodesFact("python", "10.0.0.1:6379")
VERSIONS = NodeVersionsFact("python")
INTERFACE = InterfaceOfAddressFact("10.0.0.1")


def recorded(name: str) -> str:
    return (FOLDER / name).read_text()


def test_status_of_two_and_of_one_that_is_left() -> None:
    assert STATUS.parse(recorded("status-two.txt")) == RayStatus(2, 0.0, 2.0)
    assert STATUS.parse(recorded("status-one-left.txt")) == RayStatus(1, 0.0, 1.0)


def test_a_cluster_without_slots() -> None:
    text = "\n".join(line for line in recorded("status-two.txt").splitlines() if "GPU" not in line) + "\n"
    assert STATUS.parse(text) == RayStatus(2, None, None)


@pytest.mark.parametrize(
    "text", ["", "Active:\n 1 node_x\n", "No cluster status.\n", "Traceback (most recent call last):"]
)
def test_what_is_no_status(text: str) -> None:
    with pytest.raises(NotUnderstood):
        STATUS.parse(text)


def test_nodes_alive_and_lost() -> None:
    assert NODES.parse(recorded("nodes-two.txt")) == (
        RayNodeState("10.251.77.1", True, 1, ""),
        RayNodeState("10.251.77.2", True, 1, ""),
    )
    head, lost = NODES.parse(recorded("nodes-one-lost.txt"))
    assert head.alive and not lost.alive and lost.why_dead


NO_LISTS = (
    *("", "nodes []", "nodes {}", "nodes [1]", 'nodes [{"Alive": true}]', "nodes [", "[]"),
    'nodes [{"NodeManagerAddress": "$(id)", "Alive": true, "Resources": {}}]',
)


@pytest.mark.parametrize("text", NO_LISTS)
def test_what_is_no_list_of_nodes(text: str) -> None:
    with pytest.raises(NotUnderstood):
        NODES.parse(text)


def test_the_token_is_not_in_the_command() -> None:
    fact = RayNodesFact("/a b/python", "10.0.0.1:6379", {"RAY_AUTH_TOKEN_PATH": "/r/secrets/ray_token"})
    assert "RAY_AUTH_TOKEN_PATH=/r/secrets/ray_token '/a b/python' -c " in fact.command


SAMPLE = "python=3.11.7\nvllm=0.33.0\nray=2.60.0\ntorch=2.14.0\ndriver=580.159.03\n"


def test_versions() -> None:
    assert VERSIONS.parse(SAMPLE) == NodeVersions("3.11.7", "0.33.0", "2.60.0", "2.14.0", "580.159.03")
    with pytest.raises(NotUnderstood):
        VERSIONS.parse(SAMPLE.replace("driver=580.159.03", "driver="))
    with pytest.raises(NotUnderstood):
        VERSIONS.parse(SAMPLE.replace("ray=2.60.0\n", ""))


def test_each_difference_names_two_hosts() -> None:
    one = VERSIONS.parse(SAMPLE)
    other = VERSIONS.parse(SAMPLE.replace("580.159.03", "575.57.08").replace("ray=2.60.0", "ray=absent"))
    assert differences({"a": one, "b": one}) == ()
    assert differences({"a": one, "b": other, "c": other}) == (
        "ray is 2.60.0 on a and absent on b",
        "driver is 580.159.03 on a and 575.57.08 on b",
    )


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("2: eth0    inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0\\       valid_lft forever", "eth0"),
        ("7: bond0.12@bond0    inet 10.0.0.1/32 scope global bond0.12\\       valid_lft forever", "bond0.12"),
    ],
)
def test_the_interface_of_an_address(line: str, name: str) -> None:
    assert INTERFACE.parse(line + "\n").value == name


def test_an_address_of_nobody() -> None:
    assert INTERFACE.parse("").why_not == "no interface has the address 10.0.0.1"
    with pytest.raises(NotUnderstood):
        INTERFACE.parse("Error: ???\n")
    with pytest.raises(ValueError, match="Only decimal digits"):
        _ = InterfaceOfAddressFact("10.0.0.1; id").command
