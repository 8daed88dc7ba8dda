"""Which rank lies where, and every inventory that can't be carried out so is refused before a host is touched."""

from typing import Any

import pytest

from inventories.errors import BadInput
from inventories.load import load
from inventories.schema import Inventory
from tasks.multihost.plan import layout

PRIVATE = ("10.0.0.1", "10.0.0.2")


def declared(addresses: tuple[str | None, ...] = PRIVATE, **changes: Any) -> Inventory:
    """The shipped a100x16 with addresses, and with changes to its blocks."""
    body = load("a100x16").model_dump(exclude_unset=True)
    body["hosts"] = list(body["hosts"])
    for host, address in zip(body["hosts"], addresses, strict=True):
        if address is not None:
            host["ssh"] = {"address": address, "user": "ops"}
    for part, change in changes.items():
        if part == "second_host":
            body["hosts"][1] |= change
        elif part == "both_hosts":
            for host in body["hosts"]:
                host |= change
        else:
            body[part] |= change
    return Inventory.model_validate(body)


def test_sixteen_ranks_on_two_hosts() -> None:
    plan = layout(declared())
    assert [(n.name, n.address, n.ranks[0], n.ranks[-1], n.head) for n in plan.nodes] == [
        ("a100x16-1", "10.0.0.1", 0, 7, True),
        ("a100x16-2", "10.0.0.2", 8, 15, False),
    ]
    assert (plan.tensor_parallel, plan.pipeline_parallel, plan.ranks_per_node) == (8, 2, 8)
    assert plan.head is plan.nodes[0] and plan.workers == plan.nodes[1:]
    assert plan.launcher == "ray"


def test_a_stage_never_leaves_its_host() -> None:
    """Two stages of four ranks on each host: ranks 0-3 and 4-7 are whole stages."""
    plan = layout(declared(engine={"tensor_parallel": 4, "pipeline_parallel": 4}))
    assert plan.ranks_per_node == 8
    assert all(len({rank // 4 for rank in node.ranks}) == 2 for node in plan.nodes)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"engine": {"tensor_parallel": 16, "pipeline_parallel": 1}}, "tensor_parallel: 16 leaves the host"),
        ({"engine": {"tensor_parallel": 4, "pipeline_parallel": 3}}, "3 pipeline stages don't divide evenly"),
        ({"engine": {"tensor_parallel": 8, "pipeline_parallel": 1}}, "1 pipeline stages don't divide evenly"),
        ({"engine": {"tensor_parallel": 4, "pipeline_parallel": 2}}, "gives each host 4 ranks, and it has 8 GPUs"),
        ({"second_host": {"gpus": 4}, "engine": {"tensor_parallel": 4}}, "gpus is 8 on a100x16-1 and 4 on a100x16-2"),
        ({"second_host": {"gpu": "h100-80gb"}}, "gpu is a100-80gb on a100x16-1 and h100-80gb on a100x16-2"),
        ({"second_host": {"root": "/srv/other"}}, "root is /opt/beachhead on a100x16-1 and /srv/other on a100x16-2"),
        ({"both_hosts": {"root": "/srv/" + "deep/" * 10 + "root"}}, "root is too long for Ray's sockets"),
        ({"serving": {"mode": "blue-green"}}, "blue-green needs room for a second set of ranks"),
        ({"engine": {"kind": "llamacpp"}}, "llamacpp is not served across hosts"),
    ],
)
def test_what_hosts_cannot_carry(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(BadInput) as refused:
        layout(declared(**changes))
    assert what in refused.value.what
    assert refused.value.where.startswith("inventory a100x16: ") and refused.value.fix


@pytest.mark.parametrize(
    ("addresses", "what"),
    [
        ((None, None), "host a100x16-1 is planned, but has no address yet"),
        (("10.0.0.1", None), "host a100x16-2 is planned, but has no address yet"),
        (("10.0.0.1", "10.0.0.1"), "two hosts have the address 10.0.0.1"),
        (("gpu-1.example", "10.0.0.2"), "'gpu-1.example' is no IPv4 address"),
        (("local", "10.0.0.2"), "'local' is no IPv4 address"),
        (("fd00::1", "fd00::2"), "'fd00::1' is no IPv4 address"),
        (("10.0.0.1/24", "10.0.0.2"), "'10.0.0.1/24' is no IPv4 address"),
        (("127.0.0.1", "10.0.0.2"), "another host can't reach 127.0.0.1"),
        (("0.0.0.0", "10.0.0.2"), "another host can't reach 0.0.0.0"),
        (("10.0.0.1", "224.0.0.1"), "another host can't reach 224.0.0.1"),
        (("8.8.4.4", "10.0.0.2"), "8.8.4.4 is a public address"),
    ],
)
def test_addresses_that_are_refused(addresses: tuple[str | None, ...], what: str) -> None:
    with pytest.raises(BadInput) as refused:
        layout(declared(addresses))
    assert what in refused.value.what


@pytest.mark.parametrize("address", ["192.168.7.1", "172.16.0.9", "100.64.0.7", "169.254.3.1"])
def test_private_addresses_are_taken(address: str) -> None:
    assert layout(declared((address, "10.0.0.2"))).head.address == address


@pytest.mark.parametrize("runtime", ["compose", "kubernetes"])
def test_other_runtimes_are_refused(runtime: str) -> None:
    found = declared()
    serving = found.serving.model_copy(update={"runtime": runtime})
    with pytest.raises(BadInput, match=f"served with runtime: process, not {runtime}"):
        layout(found.model_copy(update={"serving": serving}))
