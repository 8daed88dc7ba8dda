"""One deployment for all end-to-end tests, provisioned through a real Prefect server and a real worker."""

from collections.abc import Iterator

import pytest

from tests.e2e.proving_ground import NAME, ProvingGround


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvingGround]:
    """The proving ground after `prefect deployment run provision/proving-ground`; taken down at the end."""
    built = ProvingGround(tmp_path_factory.mktemp("proving-ground"))
    try:
        built.up()
        built.first, asked = built.deployment_run("provision", NAME, "--param", "yes=true", "--watch")
        built.watched = asked.wait(1200)
        assert built.watched.code == 0, f"{built.watched}\n--- worker\n{built.worker.err[-8000:]}"
        built.inventory("inventories")
        yield built
    finally:
        built.down()
