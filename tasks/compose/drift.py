"""Where a container that lives is not the one that was planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from tasks.facts.container_spec import Container, ContainerSpec

_APART = ("image", "env", "health", "shm_bytes", "security")
_DOCKERS_OWN = "label=disable"  # Docker adds it to a container that shares the host's IPC


@dataclass(frozen=True, slots=True)
class Difference:
    """One field as planned and as found."""

    field: str
    planned: str
    found: str

    def __str__(self) -> str:
        return f"{self.field}: planned {self.planned}, found {self.found}"


def differences(planned: ContainerSpec, live: Container) -> tuple[Difference, ...]:
    """Field by field; none where the container is what was planned.  Values of secrets are not looked at.

    The probe's start period is left out: it comes from a measured speed, and no engine is started anew for that.
    """
    return (*_image(planned, live), *_env(planned, live), *_rest(planned, live.spec))


def _image(planned: ContainerSpec, live: Container) -> Iterator[Difference]:
    """Docker made the container by a digest, so its name proves the content, even of an image that was untagged since.

    Where the image still has digests, the planned one must be among them, under whichever registry's name.
    """
    digests = [each.rpartition("@")[2] for each in live.image.digests or ()]
    if live.spec.image != planned.image:
        yield Difference("image", planned.image, live.spec.image)
    elif digests and planned.image.rpartition("@")[2] not in digests:
        yield Difference("image", planned.image, f"{live.image.id} with the digests {', '.join(digests)}")


def _env(planned: ContainerSpec, live: Container) -> Iterator[Difference]:
    for name, value in sorted(planned.env.items()):
        found = live.spec.env.get(name)
        if name not in live.spec.env:
            yield Difference(f"env {name}", _shown(value), "not set")
        elif value is not None and found != value:
            yield Difference(f"env {name}", _shown(value), _shown(found))
    for name in sorted(set(live.spec.env) - set(planned.env) - set(live.image.env_names)):
        yield Difference(f"env {name}", "not set", "set")


def _shown(value: str | None) -> str:
    return "a value that is not shown" if value is None else repr(value)


def _rest(planned: ContainerSpec, live: ContainerSpec) -> Iterator[Difference]:
    for each in fields(ContainerSpec):
        if each.name not in _APART:
            yield from _field(each.name, getattr(planned, each.name), getattr(live, each.name))
    if planned.shm_bytes is not None:
        yield from _field("shm_bytes", planned.shm_bytes, live.shm_bytes)
    own = {_DOCKERS_OWN} if planned.ipc == "host" else set()
    yield from _field("security", set(planned.security), set(live.security) - own)
    health = planned.health
    if health is not None and live.health is not None:
        health = replace(health, start_s=live.health.start_s)
    yield from _field("health", health, live.health)


def _field(name: str, planned: object, found: object) -> Iterator[Difference]:
    if planned != found:
        yield Difference(name, str(planned), str(found))
