"""Plans of containers: which GPUs, how much shared memory, which addresses; and back from their text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventories.errors import BadInput
from inventories.schema import Inventory
from tasks.compose.gpus import gpu_requests
from tasks.compose.kept import PlanUnreadable, as_text, from_text
from tasks.facts.container_spec import ContainerSpec
from tasks.releases import Slot
from tests.compose import cases


def test_the_plan_comes_back_from_its_text() -> None:
    for spec in (cases.spec(cases.inventory("cdi")), cases.spec(cases.inventory()), cases.gateway()):
        assert from_text(as_text(spec), "f") == spec
    with pytest.raises(PlanUnreadable):
        from_text('{"image": 3}', "f")


def test_an_engine_that_would_listen_on_every_address_is_refused() -> None:
    everywhere = tuple("0.0.0.0" if word == "127.0.0.1" else word for word in cases.RELEASE.arguments)
    for arguments in (everywhere, ("--hostname=::",)):
        with pytest.raises(BadInput, match="listen on"):
            cases.spec(cases.inventory(), replace(cases.RELEASE, arguments=arguments))


@pytest.mark.parametrize(
    ("inventory", "first", "second"),
    [
        (cases.inventory("runtime", gpus=8, mode="blue-green"), "nvidia:0", "nvidia:4"),
        (cases.inventory("runtime", gpus=8, mode="in-place"), "nvidia:0", "nvidia:0"),
        (cases.inventory("cdi", gpus=4, mode="blue-green"), "cdi:nvidia.com/gpu=0", "cdi:nvidia.com/gpu=0"),
        (cases.inventory(), None, None),
    ],
)
def test_slots_get_cards_of_their_own_where_there_are_enough(
    inventory: Inventory, first: str | None, second: str | None
) -> None:
    ports = inventory.serving.slots
    found = [gpu_requests(inventory, inventory.hosts[0], Slot("r", port)) for port in ports]
    assert [each[0] if each else None for each in found] == [first, second]
    assert {len(each) for each in found} == ({4} if first else {0})


def test_shm_and_ipc() -> None:
    shared: ContainerSpec = cases.spec(
        cases.inventory(container={"image": cases.IMAGE, "ipc": "host", "user": "1000:1000"})
    )
    assert (shared.ipc, shared.shm_bytes, shared.user, shared.env["HOME"]) == ("host", None, "1000:1000", "/tmp")
    half = cases.spec(cases.inventory(container={"image": cases.IMAGE, "shm_gib": 0.5}))
    assert (half.ipc, half.shm_bytes, "HOME" in half.env) == ("private", 512 << 20, False)
