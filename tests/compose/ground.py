"""A host that serves with Docker Compose: this machine, its own Docker engine, a registry on loopback.

    with registry, ComposeGround(folder, registry) as ground:
        site = ground.site(mode="blue-green")     # or ground.inventory(…) as data, for a YAML file

`docker` on the ground's PATH finds the Compose plugin, so that a host over SSH that inherits PATH finds it too.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import yaml

from inventories.schema import Inventory
from rehearsal.checkpoint import Checkpoint
from tasks.compose.names import Project
from tasks.site import Site
from tests.compose.image import engine_image, nginx_image, python_mounts
from tests.compose.registry import Registry
from tests.compose.tools import compose_config
from tests.hosts.docker import docker
from tests.ports import free_port

HOST = "compose-host"
FAKE = Path(__file__).with_name("fake_engine.py")


def docker_on_path(folder: Path) -> Path:
    """A folder for PATH with a `docker` that finds the Compose plugin, whatever environment calls it."""
    real, bin_ = shutil.which("docker"), folder / "bin"
    if real is None or Path(real).parent == bin_:
        return bin_
    bin_.mkdir(parents=True, exist_ok=True)
    config = compose_config(folder / "docker")
    (bin_ / "docker").write_text(f'#!/bin/sh\nDOCKER_CONFIG={config} exec {real} "$@"\n')
    (bin_ / "docker").chmod(0o755)
    return bin_


class ComposeGround:
    """Below `folder`: `host/` is the host's root.  At the end its project's containers are removed, and nothing else.

    `python` is the interpreter of an environment with vLLM for CPU; without it only fake engines can run.
    """

    def __init__(self, folder: Path, registry: Registry, *, python: Path | None = None, gateway: bool = False) -> None:
        self.folder, self.root, self.python = folder, folder / "host", python
        self.image = registry.push(engine_image(), "engine")
        self.gateway_image = registry.push(nginx_image(), "nginx") if gateway else self.image
        self.ports = (free_port(), free_port(), free_port())
        self.project = Project(str(self.root))
        self._sites: list[Site] = []

    def __enter__(self) -> ComposeGround:
        self.root.mkdir(parents=True)
        os.environ["PATH"] = f"{docker_on_path(self.folder)}:{os.environ['PATH']}"
        return self

    def __exit__(self, *_: object) -> None:
        for site in self._sites:
            site.close()
        mine = f"label=com.docker.compose.project={self.project.name}"
        if found := docker("ps", "-aq", "--filter", mine).split():
            docker("rm", "--force", "--volumes", *found)
        os.environ["PATH"] = os.environ["PATH"].removeprefix(f"{self.folder / 'bin'}:")

    def put(self, checkpoint: Checkpoint, model: str = "tiny-k2") -> str:
        """Write a checkpoint where the product would have fetched it; gives its revision."""
        checkpoint.write(self.root / "models" / model / checkpoint.revision)
        return checkpoint.revision

    def inventory(
        self, *, ssh: dict[str, Any] | None = None, revision: str = "0" * 40, **serving: Any
    ) -> dict[str, Any]:
        """The data of an inventory; `serving` replaces keys of its serving block, `ssh` the local host."""
        mounts = [str(FAKE), *(python_mounts(self.python) if self.python else ())]
        return {
            "name": "compose-ground",
            "title": "Docker Compose on this machine",
            "kind": "rehearsal",
            "hosts": [
                {
                    "name": HOST,
                    "ssh": ssh or {"address": "local", "user": "root"},
                    "ram_gib": 6,
                    "cpu_cores": 1,  # of a tiny model's threads the second only spins
                    "root": str(self.root),
                }
            ],
            "model": {"catalog": "tiny-k2", "revision": revision},
            "engine": {"kind": "vllm", "version": "0.32.0", "options": {"device": "cpu", "kv_cache_gib": 1}},
            "serving": {
                "context_tokens": 4096,
                "slots": list(self.ports[:2]),
                "live_port": self.ports[2],
                "mode": "blue-green",
                "start_budget_s": 300,
                "runtime": "compose",
                "container": {
                    "image": self.image,
                    "shm_gib": 0.25,
                    "program": str(self.python) if self.python else "python3",
                    "mounts": [{"path": path} for path in mounts],
                },
                "gateway": {"tls": {"mode": "off"}, "image": self.gateway_image},
                "watch": {"every_s": 2, "deadline_s": 20, "failures": 2},
                **serving,
            },
        }

    def inventory_file(self, **asked: Any) -> Path:
        """The same as a YAML file, for the command line."""
        path = self.folder / "compose-ground.yaml"
        path.write_text(yaml.safe_dump(self.inventory(**asked), sort_keys=False))
        return path

    def site(self, **asked: Any) -> Site:
        """A site over this ground, closed with it."""
        made = Site(Inventory.model_validate(self.inventory(**asked)), self.folder / f"run-{len(self._sites)}")
        self._sites.append(made)
        return made
