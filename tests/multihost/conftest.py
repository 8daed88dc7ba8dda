"""One ground for all real tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.multihost.ground import KEY, Ground, ground
from tests.multihost.namespaces import require


@pytest.fixture(scope="session")
def two_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Two hosts with the engine's environment; skipped where namespaces can't be made, failed in CI."""
    require()
    with ground(tmp_path_factory.mktemp("two-hosts")) as made:
        yield made


@pytest.fixture(autouse=True)
def our_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keys and tokens of these tests lie in a folder of their own."""
    monkeypatch.setenv("BEACHHEAD_ENGINE_KEY", KEY)
    monkeypatch.setenv("BEACHHEAD_HOME", str(tmp_path_factory.getbasetemp() / "multihost-home"))
