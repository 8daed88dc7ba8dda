"""Claim: the guide's Compose file and Kubernetes manifest are as their formats and vLLM's documentation ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._guide import applies, commands, finding, not_applicable, parsed
from assumptions._guide_text import COMPOSE, COMPOSE_COMMANDS, MANIFEST
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.site import Site

GPU = "nvidia.com/gpu"
SOURCE = "Docker's, Kubernetes' and NVIDIA's documentation of these files; vLLM's pages on Docker and Kubernetes"


@dataclass(frozen=True, slots=True)
class Manifests:
    """The two files as data, and the commands that use the first."""

    compose: Mapping[str, Any]
    commands: tuple[tuple[str, ...], ...]
    manifest: Mapping[str, Any]


def observe(site: Site, stage: Stage) -> Manifests:
    """The guide's text alone."""
    return Manifests(parsed(COMPOSE), commands(COMPOSE_COMMANDS), parsed(MANIFEST))


def _pinned(name: str, image: str) -> Part:
    tag = image.rpartition("/")[2].partition(":")[2]
    pinned = "@sha256:" in image or tag not in ("", "latest")
    said = (
        "a version" if pinned else f"{image} is another one tomorrow. Instead: a version, such as v0.33.0, or a digest"
    )
    return check(name, pinned, said, expected="a version", measured=image)


def _compose(seen: Manifests) -> Iterator[Part]:
    yield check(
        "compose: version",
        "version" not in seen.compose,
        "obsolete: ignored with a warning. Instead: leave it out" if "version" in seen.compose else "left out",
    )
    old = any(words[0] == "docker-compose" for words in seen.commands)
    said = "Compose v1, out of support since July 2023. Instead: docker compose" if old else "Compose v2"
    yield check("compose: program", not old, said, expected="docker compose")
    (service,) = seen.compose["services"].values()
    yield _pinned("compose: image", service["image"])
    shared = service.get("ipc") == "host" or "shm_size" in service
    said = "given" if shared else "64 MB by default, and vLLM asks for more. Instead: ipc: host, or shm_size"
    yield check("compose: shared memory", shared, said, expected="ipc or shm_size")
    devices = service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
    right = any(
        "gpu" in device.get("capabilities", ()) and ("count" in device) != ("device_ids" in device)
        for device in devices
    )
    yield check("compose: GPUs", right, "driver, count or device_ids, capabilities" if right else "no GPU is reserved")


def _manifest(seen: Manifests) -> Iterator[Part]:
    pod = seen.manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    yield _pinned("manifest: image", container["image"])
    limits = container["resources"]["limits"]
    requests = container["resources"].get("requests", {})
    right = GPU in limits and requests.get(GPU, limits[GPU]) == limits[GPU]
    yield check("manifest: GPUs", right, f"{GPU} under limits, requests equal or absent", expected=GPU)
    labels = seen.manifest["spec"]["template"]["metadata"]["labels"]
    matches = seen.manifest["spec"]["selector"]["matchLabels"].items() <= labels.items()
    yield check("manifest: selector", matches, "matches the pod's labels" if matches else "matches no pod of its own")
    volumes = pod.get("volumes", [])
    hosts = [volume["name"] for volume in volumes if "hostPath" in volume]
    said = "hostPath: a security risk, and bound to one node. Instead: a persistent volume, mounted read-only"
    yield check("manifest: weights", not hosts, said if hosts else "no hostPath", measured=", ".join(hosts))
    memory = [volume for volume in volumes if volume.get("emptyDir", {}).get("medium") == "Memory"]
    mounted = {mount["name"] for mount in container.get("volumeMounts", []) if mount["mountPath"] == "/dev/shm"}  # noqa: S108
    shared = any(volume["name"] in mounted for volume in memory)
    said = "given" if shared else "64 MB by default. Instead: an emptyDir with medium Memory at /dev/shm"
    yield check("manifest: shared memory", shared, said, expected="a mount")


def judge(seen: Manifests, inventory: Inventory) -> Finding:
    """Each line that a format or an engine's documentation speaks of."""
    if not applies(inventory):
        return not_applicable(inventory)
    return finding(
        (*_compose(seen), *_manifest(seen)),
        expected="no obsolete or unsafe line, shared memory for the ranks, a pinned image",
        source=SOURCE,
        provenance=Provenance.VENDOR,
        notes=("Read against documentation; neither file was run here.",),
    )


ASSUMPTION = Assumption(
    id="guide-manifests",
    guide="K2 Thinking guide §4.2",
    states="The guide's Compose file and Kubernetes manifest deploy the server as they stand.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="docker compose without `version`, a pinned image, ipc: host (or an emptyDir in memory at /dev/shm), and "
    "weights on a persistent volume; or Beachhead's own service, which needs neither.",
    version=1,
    observe=observe,
    judge=judge,
)
