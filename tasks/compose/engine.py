"""The container that a release gets in a slot."""

from __future__ import annotations

from posixpath import basename

from inventories.errors import BadInput
from inventories.schema import Host, Inventory
from inventories.serving import Container
from tasks.compose.gpus import gpu_requests
from tasks.compose.names import Project
from tasks.facts.container_spec import Bind, ContainerSpec, Health, Log
from tasks.releases import Release, Slot

LOG_OPTIONS = {"max-size": "50m", "max-file": "5"}
PROBE_MARGIN_S = 5  # what Docker grants the probe beyond the probe's own time limit
GIB = 1 << 30
EVERY_ADDRESS = {"0.0.0.0", "::", "[::]", "*"}  # noqa: S104


def container_of(inventory: Inventory) -> Container:
    """The `container:` block; BadInput without one."""
    if inventory.serving.container is None:
        raise BadInput(
            "runtime: compose needs a container",
            where=f"inventory {inventory.name}: serving.container",
            fix="name the engine's image by digest: container: {image: name@sha256:…}",
        )
    return inventory.serving.container


def engine_spec(
    inventory: Inventory, host: Host, release: Release, slot: Slot, *, start_s: int, key_variable: str
) -> ContainerSpec:
    """The release's program and flags as they are, in the declared image; `start_s` is the start budget.

    `key_variable` names the variable with the engine's API key; its value is in the project's secrets alone.
    """
    box, project = container_of(inventory), Project(host.root)
    _loopback_alone(inventory, release)
    read_only = {release.model_dir, project.probe, *(mount.path for mount in box.mounts)}
    # a user that the image doesn't know has no home, and the engine writes caches to it
    home = {"HOME": "/tmp"} if box.user else {}  # noqa: S108
    return ContainerSpec(
        image=box.image,
        program=(release.program,),
        arguments=release.argv(slot.port)[1:],
        release=release.id,
        env={**home, **release.env, key_variable: None},
        user=box.user or "",
        binds=tuple(Bind(path, path) for path in sorted(read_only)),
        ipc=box.ipc,
        shm_bytes=int(box.shm_gib * GIB) if box.ipc == "private" else None,
        gpus=gpu_requests(inventory, host, slot),
        health=_health(inventory, project, release, slot, start_s, key_variable),
        log=Log("json-file", LOG_OPTIONS),
        ulimits=_ulimits(host),
    )


def _loopback_alone(inventory: Inventory, release: Release) -> None:
    """The container shares the host's network, so that every address would be the host's own."""
    if open_to := sorted(EVERY_ADDRESS & {word.rpartition("=")[2] for word in release.arguments}):
        raise BadInput(
            f"the engine would listen on {open_to[0]}, and its container shares the host's network",
            where=f"inventory {inventory.name}: release {release.id}",
            fix="let the engine bind 127.0.0.1 with runtime: compose; only the gateway is reached from outside",
        )


def _health(
    inventory: Inventory, project: Project, release: Release, slot: Slot, start_s: int, key_variable: str
) -> Health:
    python = release.program if basename(release.program).startswith("python") else "python3"
    watch = inventory.serving.watch
    return Health(
        command=(python, "-I", project.probe, str(slot.port), str(watch.deadline_s), key_variable),
        every_s=watch.every_s,
        timeout_s=watch.deadline_s + PROBE_MARGIN_S,
        start_s=start_s,
        failures=watch.failures,
    )


def _ulimits(host: Host) -> dict[str, int]:
    """What the inventory grants login sessions holds for the container too; without `stack:` it is Docker's."""
    limits = host.stack.limits if host.stack else None
    if limits is None:
        return {}
    return {"nofile": limits.open_files, "memlock": -1 if limits.locked_memory == "unlimited" else limits.locked_memory}
