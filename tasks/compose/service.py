"""A ContainerSpec as a service of a Compose file."""

from __future__ import annotations

from typing import Any

from tasks.compose.names import Project
from tasks.facts.container import RELEASE_LABEL
from tasks.facts.container_spec import Bind, ContainerSpec

GRACE_S = 30  # between SIGTERM and SIGKILL


def as_service(project: Project, name: str, spec: ContainerSpec) -> dict[str, Any]:
    """The service's mapping, before Compose's own escapes.  No `ports:`; on the host's network they'd mean nothing."""
    service: dict[str, Any] = {
        "image": spec.image,
        "container_name": project.container(name),
        "labels": {RELEASE_LABEL: spec.release},
        "entrypoint": list(spec.program),
        "command": list(spec.arguments),
        "user": spec.user,
        "init": spec.init,
        "network_mode": spec.network,
        "ipc": spec.ipc,
        "shm_size": f"{spec.shm_bytes}b" if spec.shm_bytes else "",
        "read_only": spec.read_only,
        "cap_drop": list(spec.cap_drop),
        "cap_add": list(spec.cap_add),
        "security_opt": list(spec.security),
        "ulimits": dict(spec.ulimits),
        "environment": {key: value for key, value in spec.env.items() if value is not None},
        "env_file": [project.secrets] if None in spec.env.values() else [],
        "volumes": [_volume(bind) for bind in spec.binds],
        "tmpfs": list(spec.tmpfs),
        "deploy": _gpus(spec.gpus),
        "healthcheck": _health(spec),
        "restart": spec.restart,
        "stop_grace_period": f"{GRACE_S}s",
        "logging": {"driver": spec.log.driver, "options": dict(spec.log.options)},
    }
    return {key: value for key, value in service.items() if value not in ("", [], {}, False)}


def _volume(bind: Bind) -> dict[str, Any]:
    return {
        "type": "bind",
        "source": bind.source,
        "target": bind.target,
        "read_only": not bind.writable,
        "bind": {"create_host_path": False},  # a path that is missing is a fault, not an empty folder
    }


def _gpus(gpus: tuple[str, ...]) -> dict[str, Any]:
    if not gpus:
        return {}
    drivers, ids = zip(*(each.split(":", 1) for each in gpus), strict=True)
    request = {"driver": drivers[0], "device_ids": list(ids), "capabilities": ["gpu"]}
    return {"resources": {"reservations": {"devices": [request]}}}


def _health(spec: ContainerSpec) -> dict[str, Any]:
    if spec.health is None:
        return {}
    return {
        "test": ["CMD", *spec.health.command],
        "interval": f"{spec.health.every_s}s",
        "timeout": f"{spec.health.timeout_s}s",
        "start_period": f"{spec.health.start_s}s",
        "retries": spec.health.failures,
    }
