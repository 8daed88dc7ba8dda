"""From the JSON of `docker inspect` to a ContainerSpec and a ContainerState; raises what the JSON makes it raise."""

from __future__ import annotations

from typing import Any

from tasks.facts.container_spec import Bind, ContainerSpec, ContainerState, Health, Log
from tasks.facts.reading import filled

_NS = 1_000_000_000


def state(raw: dict[str, Any]) -> ContainerState:
    """How it is doing."""
    return ContainerState(
        filled(raw["status"]), raw["exit"], raw["restarts"], raw["started"], raw["oom"], raw["state_health"]
    )


def spec(raw: dict[str, Any]) -> ContainerSpec:
    """What it is."""
    restart, log = raw["RestartPolicy"], raw["LogConfig"]
    retries = f":{restart['MaximumRetryCount']}" if restart["MaximumRetryCount"] else ""
    env = [each.partition("=") for each in raw["env"]]
    return ContainerSpec(
        image=raw["image"],
        program=tuple(raw["program"] or ()),
        arguments=tuple(raw["arguments"] or ()),
        release=raw["release"] or "",
        env={name: value if equals else None for name, equals, value in env},
        user=raw["user"],
        binds=tuple(sorted(map(_bind, raw["mounts"]), key=lambda bind: bind.target)),
        tmpfs=tuple(sorted(raw["Tmpfs"] or ())),
        network=raw["NetworkMode"],
        ports=tuple(sorted(raw["PortBindings"] or ())),
        ipc=raw["IpcMode"],
        shm_bytes=raw["ShmSize"],
        gpus=tuple(sorted(each for request in raw["DeviceRequests"] or () for each in _gpus(request))),
        health=_health(raw["health"]),
        restart=restart["Name"] + retries,
        log=Log(log["Type"], dict(log["Config"] or {})),
        init=bool(raw["Init"]),
        read_only=raw["ReadonlyRootfs"],
        privileged=raw["Privileged"],
        pid=raw["PidMode"],
        cap_add=tuple(sorted(raw["CapAdd"] or ())),
        cap_drop=tuple(sorted(raw["CapDrop"] or ())),
        security=tuple(sorted(raw["SecurityOpt"] or ())),
        ulimits={each["Name"]: each["Hard"] for each in raw["Ulimits"] or ()},
        devices=tuple(sorted(each["PathOnHost"] for each in raw["Devices"] or ())),
    )


def _bind(mount: dict[str, Any]) -> Bind:
    source = mount["Source"] if mount["Type"] == "bind" else f"{mount['Type']}:{mount.get('Name', '')}"
    return Bind(source, mount["Destination"], mount["RW"])


def _gpus(request: dict[str, Any]) -> list[str]:
    driver = request["Driver"] or "gpu"
    counted = [f"{driver}:count={request['Count']}"] if request["Count"] else []
    return counted + [f"{driver}:{each}" for each in request["DeviceIDs"] or ()]


def _health(raw: dict[str, Any] | None) -> Health | None:
    test = tuple((raw or {}).get("Test") or ())
    if raw is None or test[:1] in ((), ("NONE",)):
        return None
    command = test[1:] if test[0] == "CMD" else test
    every, timeout, start = (int(raw.get(key, 0)) // _NS for key in ("Interval", "Timeout", "StartPeriod"))
    return Health(command, every, timeout, start, int(raw.get("Retries", 0)))
