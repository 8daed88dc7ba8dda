"""The whole stack of a GPU host, read ahead: as one by one it comes to its end, through a restart too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tasks.host_operations import host_operations
from tasks.hosts import Host, Ran
from tasks.operations import read_ahead
from tasks.operations.base import converge
from tasks.operations.read_ahead import reading_ahead
from tests.hosts import docker
from tests.hosts.fleet import Fleet
from tests.tasks.test_operations_test_host import declared

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


class Counted:
    """A host, and how many exchanges it took."""

    def __init__(self, host: Host) -> None:
        self.name, self.host, self.exchanges = host.name, host, 0

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        self.exchanges += 1
        return self.host.run(command, timeout=timeout, stdin=stdin, sudo=sudo)

    def forward(self, port: int) -> AbstractContextManager[int]:
        return self.host.forward(port)

    def close(self) -> None:
        self.host.close()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if (why := docker.missing()) is not None:
        pytest.skip(why)
    options = {"os": "ubuntu-24.04", "gpu": "h100-80gb", "gpus": 8, "repository": False}
    with docker.engine(tmp_path_factory.mktemp("docker")), Fleet(1, **options) as fleet:
        yield fleet


def test_the_stack_of_a_gpu_host_converges_and_then_few_exchanges_find_nothing_to_do(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = declared(fleet)
    operations = host_operations(inventory, inventory.hosts[0])
    host = fleet[0].host()
    did = [converge(host, operation) for operation in reading_ahead(host, operations)]
    assert sum(len(change.steps) for change in did) >= 15
    assert any("restart" in step for change in did for step in change.steps)

    monkeypatch.setattr(
        read_ahead, "FRESH_S", 600.0
    )  # a slow machine reads again after it, and the count would tell that
    plain, ahead = Counted(host), Counted(host)
    assert not any(converge(plain, operation).steps for operation in operations)
    assert not any(converge(ahead, operation).steps for operation in reading_ahead(ahead, operations))
    print(f"{plain.exchanges} exchanges one by one, {ahead.exchanges} reading ahead")
    assert ahead.exchanges * 3 <= plain.exchanges
    host.close()


def test_what_somebody_takes_away_is_brought_back(fleet: Fleet, tmp_path: Path) -> None:
    inventory = declared(fleet)
    operations = host_operations(inventory, inventory.hosts[0])
    host = fleet[0].host()
    fleet[0].run_in_container("apt-get -q -y remove libnccl2 && apt-mark unhold $(apt-mark showhold | head -1)")
    did = [converge(host, operation) for operation in reading_ahead(host, operations)]
    assert any("libnccl2" in step for change in did for step in change.steps)
    assert not any(converge(host, operation).steps for operation in operations)
    host.close()
