"""The machine's own id, here and in words that are none."""

import re
from contextlib import suppress

import pytest

from tasks.facts.base import NotUnderstood, look
from tasks.facts.machine_id import MachineIdFact
from tasks.hosts import HostError
from tasks.local import LocalHost


def test_this_machine_names_itself_or_says_that_it_has_no_name() -> None:
    with suppress(HostError):  # an image without one: what depends on it is void each time
        assert re.fullmatch(r"[0-9a-f]{32}", look(LocalHost("here"), MachineIdFact()))


@pytest.mark.parametrize("text", ["", "\n", "uninitialized\n", "3d12", "g" * 32, "a" * 32 + "\n" + "b" * 32])
def test_what_is_no_id_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        MachineIdFact().parse(text)


def test_a_sample() -> None:
    assert MachineIdFact().parse("3d1219c7c4c5404aaa1f6d2a48adfda4\n") == "3d1219c7c4c5404aaa1f6d2a48adfda4"
