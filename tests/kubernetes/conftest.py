"""A real kubectl, a stand-in cluster, and this machine as the serving host."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inventories.schema import Inventory
from tasks.local import LocalHost
from tasks.site import Site
from tests.compose.tools import ToolMissing, _fetch, alone, cache
from tests.kubernetes import api
from tests.kubernetes.ground import inventory

SUITE = "trixie"  # Debian 13's kubectl, 1.32; bookworm's is 1.20


@pytest.fixture(scope="session")
def kubectl_program() -> Path:
    """$BEACHHEAD_TEST_KUBECTL, else Debian's, unpacked into the tests' cache."""
    if given := os.environ.get("BEACHHEAD_TEST_KUBECTL"):
        return Path(given)
    folder = cache() / f"kubectl-{SUITE}"
    try:
        with alone("kubectl"):
            if not folder.exists():
                _fetch(f"kubectl/{SUITE}", SUITE, folder)
        return folder / "usr/bin/kubectl"
    except ToolMissing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no kubectl: {missing}")


@pytest.fixture
def on_path(kubectl_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """kubectl is what the hosts of this test find."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "kubectl").symlink_to(kubectl_program)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))  # discovery's cache
    assert shutil.which("kubectl") == str(tools / "kubectl")
    return kubectl_program


@pytest.fixture(scope="session")
def minor(kubectl_program: Path) -> str:
    said = subprocess.run([kubectl_program, "version", "--client", "-o", "json"], capture_output=True, check=True)
    return json.loads(said.stdout)["clientVersion"]["minor"]


@pytest.fixture
def stand_in(minor: str) -> Iterator[api.Cluster]:
    cluster = api.Cluster(minor)
    server = api.serve(cluster)
    cluster.server = server  # type: ignore[attr-defined]
    yield cluster
    server.shutdown()
    server.server_close()


@pytest.fixture
def declared(stand_in: api.Cluster, tmp_path: Path) -> Callable[..., Inventory]:
    """An inventory whose cluster is the stand-in and whose host is this machine, below the test's folder."""
    file = api.kubeconfig(stand_in.server, tmp_path / "kubeconfig")  # type: ignore[attr-defined]

    def make(**changes: Any) -> Inventory:
        block = {"storage": {"storage_class": "fast"}, "kubeconfig": str(file), **changes.pop("kubernetes", {})}
        made = inventory(kubernetes=block, start_budget_s=60, **changes)
        hosts = tuple(host.model_copy(update={"root": str(tmp_path / "host")}) for host in made.hosts)
        return made.model_copy(update={"hosts": hosts})

    return make


@pytest.fixture
def site(on_path: Path, declared: Callable[..., Inventory], tmp_path: Path, monkeypatch: Any) -> Iterator[Site]:
    """A site on the stand-in, by real kubectl."""
    monkeypatch.setenv("BEACHHEAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BEACHHEAD_ENGINE_KEY", "engine-key-that-nobody-may-see")
    made = Site(declared(), tmp_path / "run")
    made.use(made.head.name, LocalHost(made.head.name))
    yield made
    made.close()
