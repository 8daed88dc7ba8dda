"""Inventories for the engines' tests: a base of the rehearsal's, with another engine, model, place and host."""

from typing import Any

from inventories.schema import Host, Inventory
from inventories.serving import Container, Gateway, Kubernetes
from inventories.stack import Driver, Stack
from tests.recorded import recordings

DIGEST = "registry.example/engine@sha256:" + "1b2c" * 16
GATEWAY = "registry.example/nginx@sha256:" + "3d4e" * 16
REHEARSAL = recordings.rehearsal()


def case(
    kind: str,
    version: str,
    *,
    model: str = "tiny-k2",
    runtime: str = "process",
    options: dict[str, Any] | None = None,
    tensor_parallel: int = 1,
    **serving: Any,
) -> Inventory:
    """The rehearsal with that engine; a container runtime gets an image by digest."""
    told: dict[str, Any] = {"runtime": runtime, **serving}
    if runtime != "process":
        told["container"] = Container(image=DIGEST, program=told.pop("program", None))
        told["gateway"] = Gateway(image=GATEWAY)
    if runtime == "kubernetes":
        told["kubernetes"] = Kubernetes()
    served = type(REHEARSAL.serving).model_validate({**REHEARSAL.serving.model_dump(), **told})
    changed = {"kind": kind, "version": version, "options": options or {}, "tensor_parallel": tensor_parallel}
    return REHEARSAL.model_copy(
        update={
            "engine": REHEARSAL.engine.model_copy(update=changed),
            "model": REHEARSAL.model.model_copy(update={"catalog": model}),
            "serving": served,
        }
    )


def gpu_host(branch: int | None = None, *, gpu: str = "h200") -> Host:
    """Eight cards; with a driver branch where one is given."""
    stack = Stack(driver=Driver(branch=branch)) if branch else None
    return Host(name="g", gpu=gpu, gpus=8, ram_gib=1024, cpu_cores=64, root="/srv/beachhead", stack=stack)
