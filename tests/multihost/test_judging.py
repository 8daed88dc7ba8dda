"""Nodes that differ are found before anything is started on them; each message names the nodes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inventories.errors import Problem
from tasks.facts.ray_interface import InterfaceOfAddressFact
from tasks.facts.ray_versions import NodeVersionsFact
from tasks.facts.text_file import TextFile
from tasks.fake import Answer, FakeHost
from tasks.hosts import Unreachable
from tasks.multihost import judging
from tasks.multihost.plan import Layout, Node
from tasks.site import Site
from tests.multihost.test_launch import RELEASE
from tests.multihost.test_plan import declared

NODES = (Node(0, "a100x16-1", "10.0.0.1", "/r", (0,)), Node(1, "a100x16-2", "10.0.0.2", "/r", (1,)))
LAYOUT = Layout("ray", NODES, 1, 2)
GOOD = "python=3.11.7\nvllm=0.33.0\nray=2.60.0\ntorch=2.14.0\ndriver=580.159.03\n"
PYTHON = "/e/bin/python"


class Kind:
    """An engine that says where its Python is; the shipped lock of this version is not needed for that."""

    def python(self, *_: object) -> str:
        return PYTHON


def site(folder: Path, command: Callable[[Node], str], *answers: Answer) -> Site:
    """A site whose hosts each know one command."""
    made = Site(declared(), folder)
    for node, answer in zip(NODES, answers, strict=True):
        made.use(node.name, FakeHost(node.name, {command(node): answer}))
    return made


def versions(folder: Path, *answers: Answer) -> Site:
    return site(folder, lambda _: NodeVersionsFact(PYTHON).command, *answers)


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "engine", lambda _: Kind())


def test_equal_versions_pass(tmp_path: Path) -> None:
    judging.equal_versions(versions(tmp_path, GOOD, GOOD), LAYOUT)


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("ray=2.60.0", "ray=2.59.0", "ray is 2.60.0 on a100x16-1 and 2.59.0 on a100x16-2"),
        ("driver=580.159.03", "driver=575.57.08", "driver is 580.159.03 on a100x16-1 and 575.57.08 on a100x16-2"),
        ("vllm=0.33.0", "vllm=absent", "vllm is 0.33.0 on a100x16-1 and absent on a100x16-2"),
    ],
)
def test_versions_that_differ(tmp_path: Path, one: str, other: str, what: str) -> None:
    with pytest.raises(judging.NodesDiffer) as found:
        judging.equal_versions(versions(tmp_path, GOOD, GOOD.replace(one, other)), LAYOUT)
    assert what in found.value.what


def test_ray_must_be_there_for_ray_alone(tmp_path: Path) -> None:
    without = GOOD.replace("ray=2.60.0", "ray=absent")
    with pytest.raises(judging.NodesDiffer, match="Ray is not installed"):
        judging.equal_versions(versions(tmp_path / "1", without, without), LAYOUT)
    judging.equal_versions(versions(tmp_path / "2", without, without), Layout("vllm", NODES, 1, 2))


def test_a_silent_node_is_not_taken_for_an_equal_one(tmp_path: Path) -> None:
    gone = Unreachable("no answer", where="a100x16-2", fix="look")
    with pytest.raises(Unreachable):
        judging.equal_versions(versions(tmp_path, GOOD, gone), LAYOUT)


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("present\n{}", "absent\n", "the weights are not on a100x16-2"),
        ("absent\n", "absent\n", "the weights are not on a100x16-1, a100x16-2"),
        ("present\n{}", 'present\n{"x": 1}', "the hosts hold different models at the same path"),
    ],
)
def test_weights_that_differ(tmp_path: Path, one: str, other: str, what: str) -> None:
    asked = site(tmp_path, lambda _: TextFile("/w/config.json").command, one, other)
    with pytest.raises(judging.NodesDiffer) as found:
        judging.equal_weights(asked, LAYOUT, RELEASE)
    assert found.value.what == what


def test_an_address_in_front_of_a_host_is_not_its_own(tmp_path: Path) -> None:
    line = "2: eth1    inet 10.0.0.1/24 brd 10.0.0.255 scope global eth1\\       valid_lft forever\n"
    asked = site(tmp_path, lambda node: InterfaceOfAddressFact(node.address).command, line, "")
    with pytest.raises(Problem, match=r"10\.0\.0\.2 is not an address of a100x16-2 itself"):
        judging.interfaces(asked, LAYOUT)
