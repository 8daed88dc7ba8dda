"""Docker, GPUs in containers, and the proof that a container keeps them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.container_toolkit import ContainerToolkitFact
from tasks.facts.docker_engine import DockerEngine as DockerState
from tasks.facts.docker_engine import DockerEngineFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.facts.text_file import TextFile
from tasks.hosts import CommandFailed, Host
from tasks.operations.base import Step
from tasks.operations.packages import Packages
from tasks.operations.systemd_service import SystemdService

PACKAGES = {
    "docker-ce": ("docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin"),
    "docker.io": ("docker.io", "docker-compose-v2"),
}
NOTES = "/var/lib/beachhead"
CDI_SPEC = "/etc/cdi/nvidia.yaml"
CDI_BY_ITSELF = (28, 3)  # Docker reads CDI files without being told since this version
PROBE = "beachhead-probe"
DROPPED = (
    "the GPUs left a running container at systemctl daemon-reload (NVIDIA/nvidia-container-toolkit#48): "
    "write `gpus_by: cdi` under stack.containers"
)


@dataclass(frozen=True)
class DockerEngine:
    """Docker and its Compose plugin are installed, and the engine runs."""

    packages: str = "docker-ce"
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For a person."""
        return f"Docker ({self.packages})"

    def plan(self, host: Host) -> Iterator[Step]:
        """Packages, then the service."""
        yield from Packages(PACKAGES[self.packages], self.versions).plan(host)
        yield from SystemdService("docker.service").plan(host)


@dataclass(frozen=True)
class ContainerToolkit:
    """NVIDIA's container toolkit is installed, and containers get GPUs through Docker's runtime or by CDI."""

    gpus_by: str = "cdi"
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For a person."""
        return f"NVIDIA container toolkit ({self.gpus_by})"

    def plan(self, host: Host) -> Iterator[Step]:
        """Package, configuration, and Docker's restart where it runs with another one."""
        yield from Packages(("nvidia-container-toolkit",), self.versions).plan(host)
        if self.gpus_by == "runtime":
            yield from self._runtime(host)
        else:
            yield from self._cdi(host)

    def _runtime(self, host: Host) -> Iterator[Step]:
        if "nvidia" not in look(host, ContainerToolkitFact()).runtimes:
            yield Step("name the nvidia runtime to Docker", "nvidia-ctk runtime configure --runtime=docker", sudo=True)
        docker = docker_state(host)
        if docker is None or "nvidia" not in (docker.runtimes.value or ()):
            yield _restart_docker()

    def _cdi(self, host: Host) -> Iterator[Step]:
        docker, toolkit = docker_state(host), look(host, ContainerToolkitFact())
        if docker and _version(docker.server.value) < CDI_BY_ITSELF and toolkit.cdi_enabled is not True:
            yield Step(
                "switch CDI on in Docker", "nvidia-ctk runtime configure --runtime=docker --cdi.enabled", sudo=True
            )
            yield _restart_docker()
        driver = look(host, GpuDriverFact()).module or "no driver"
        note = f"{NOTES}/cdi-driver"
        if CDI_SPEC not in toolkit.cdi_specs or look(host, TextFile(note)) != driver:
            yield Step(
                f"describe the GPUs to containers in {CDI_SPEC}",
                f"umask 022 && nvidia-ctk cdi generate --output={CDI_SPEC} && mkdir -p {NOTES} && "
                f"printf %s {shlex.quote(driver)} > {note}",
                timeout=120,
                sudo=True,
            )


@dataclass(frozen=True)
class GpusInContainers:
    """nvidia-smi saw every GPU inside a container of `image`, and again after systemctl daemon-reload.

    It is tried once for each driver, toolkit, Docker and image, since the reload disturbs containers that run.
    """

    image: str
    gpus_by: str = "cdi"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-zA-Z0-9._:/-]*@sha256:[0-9a-f]{64}", self.image):
            raise BadInput(
                f"{self.image!r} is no image with its digest",
                where="stack.containers.probe_image",
                fix="write name@sha256:…, as `docker image inspect` shows it under RepoDigests",
            )

    @property
    def name(self) -> str:
        """For a person."""
        return "GPUs in containers"

    def plan(self, host: Host) -> Iterator[Step]:
        """The trial, unless this very combination has passed it."""
        driver, docker, toolkit = look(host, GpuDriverFact()), docker_state(host), look(host, ContainerToolkitFact())
        tried = {
            "driver": driver.module,
            "toolkit": toolkit.version,
            "docker": docker.server.value if docker else None,
            "image": self.image,
            "by": self.gpus_by,
        }
        note = json.dumps(tried, sort_keys=True)
        if look(host, TextFile(f"{NOTES}/gpus-in-containers.json")) != note:
            lost = "systemctl daemon-reload may take the GPUs from containers of others that run on this host"
            why = "run nvidia-smi in a container, and again after systemctl daemon-reload"
            yield Step(why, self._trial(note), timeout=1200, sudo=True, cannot_undo=lost)

    def _trial(self, note: str) -> str:
        gpus = "--device nvidia.com/gpu=all" if self.gpus_by == "cdi" else "--gpus all"
        image, seen = shlex.quote(self.image), '[ "$seen" = "$all" ]'
        return "; ".join(
            (
                f"docker rm -f {PROBE} >/dev/null 2>&1",
                'all=$(nvidia-smi -L) || { echo "$all" >&2; exit 1; }',
                f"docker run -d --name {PROBE} {gpus} {image} sleep 600 >/dev/null || exit 1",
                f"seen=$(docker exec {PROBE} nvidia-smi -L 2>&1); {seen}; first=$?",
                "if [ $first -eq 0 ]; then systemctl daemon-reload",
                f"seen=$(docker exec {PROBE} nvidia-smi -L 2>&1); fi",
                f"{seen}; second=$?; docker rm -f {PROBE} >/dev/null 2>&1",
                'if [ $first -ne 0 ]; then echo "inside a container: $seen" >&2; exit 1; fi',
                f'if [ $second -ne 0 ]; then echo {shlex.quote(DROPPED)}: "$seen" >&2; exit 1; fi',
                f"umask 022 && mkdir -p {NOTES} && printf %s {shlex.quote(note)} > {NOTES}/gpus-in-containers.json",
            )
        )


@dataclass(frozen=True)
class _AsRoot(DockerEngineFact):
    needs_root: ClassVar[bool] = True


def docker_state(host: Host) -> DockerState | None:
    """Docker as root sees it, or None where it is not installed."""
    try:
        return look(host, _AsRoot())
    except CommandFailed as failed:
        if failed.ran.exit == 127:
            return None
        raise


def _restart_docker() -> Step:
    lost = "containers that run on this host stop, and start again only where their restart policy says so"
    return Step("restart Docker", "systemctl restart docker.service", timeout=300, sudo=True, cannot_undo=lost)


def _version(text: str | None) -> tuple[int, int]:
    parts = (text or "0.0").split(".")
    return (int(parts[0]), int(parts[1])) if len(parts) > 1 and all(p.isdecimal() for p in parts[:2]) else (0, 0)
