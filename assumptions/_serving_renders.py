"""One inventory rendered for Docker Compose and for Kubernetes, as two records of the same fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from assumptions._guide import flags
from inventories.schema import Inventory
from inventories.serving import Kubernetes
from tasks.compose.engine import engine_spec
from tasks.engines.base import engine
from tasks.kubernetes.cluster import cluster
from tasks.kubernetes.workload import workload
from tasks.releases import Slot, wanted

Runtime = Literal["compose", "kubernetes"]
MIB = 1 << 20
SECRET = "(from a secret)"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one runtime is told to start.  A variable that comes from a secret has no value here."""

    image: str
    program: str
    flags: Mapping[str, tuple[str, ...]]
    env: Mapping[str, str]
    gpus: int
    shm_mib: int | None
    user: str


def sibling(inventory: Inventory, runtime: Runtime) -> Inventory:
    """The same deployment with another runtime; Kubernetes' own block is its defaults where none is declared."""
    block = (inventory.serving.kubernetes or Kubernetes()) if runtime == "kubernetes" else None
    serving = inventory.serving.model_copy(update={"runtime": runtime, "kubernetes": block})
    return inventory.model_copy(update={"serving": serving})


def _words(arguments: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Each flag with its values; what stands before the first flag is one field of its own."""
    named = {words[0]: words[1:] for words in flags(arguments)}
    before = arguments[: next((i for i, word in enumerate(arguments) if word.startswith("--")), len(arguments))]
    return {"before the flags": before, **named}


def for_compose(inventory: Inventory) -> Rendered:
    """The engine's service in the first slot."""
    chosen = sibling(inventory, "compose")
    head, port = chosen.hosts[0], chosen.serving.slots[0]
    release = wanted(chosen, head)
    slot, key = Slot(release.id, port), engine(chosen.engine.kind).key_variable
    spec = engine_spec(chosen, head, release, slot, start_s=chosen.serving.start_budget_s or 0, key_variable=key)
    return Rendered(
        image=spec.image,
        program=" ".join(spec.program),
        flags=_words(spec.arguments),
        env={name: SECRET if value is None else value for name, value in spec.env.items()},
        gpus=len(spec.gpus),
        shm_mib=None if spec.shm_bytes is None else spec.shm_bytes // MIB,
        user=spec.user,
    )


def for_kubernetes(inventory: Inventory) -> Rendered:
    """The engine's container of the Deployment in the first slot."""
    chosen = sibling(inventory, "kubernetes")
    asked, release = cluster(chosen), wanted(chosen, chosen.hosts[0])
    made = workload(asked, release, Slot(release.id, chosen.serving.slots[0]))
    pod = made["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    memory = [volume["emptyDir"] for volume in pod["volumes"] if volume.get("emptyDir", {}).get("medium") == "Memory"]
    security = pod.get("securityContext", {})
    owner = [str(security[key]) for key in ("runAsUser", "runAsGroup") if key in security]
    return Rendered(
        image=container["image"],
        program=" ".join(container["command"]),
        flags=_words(tuple(container["args"])),
        env={each["name"]: each.get("value", SECRET) for each in container["env"]},
        gpus=int(container["resources"]["limits"].get(asked.gpu_resource, 0)),
        shm_mib=int(memory[0]["sizeLimit"].removesuffix("Mi")) if memory else None,
        user=":".join(owner),
    )
