"""What one inventory asks of a cluster, as numbers and names: the one place that reads the declaration."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inventories.errors import BadInput
from inventories.schema import Inventory
from inventories.serving import Container, Kubernetes, Storage
from tasks.start_budget import start_budget

PYTHON_ENGINES = ("vllm", "sglang", "tgi")  # their images hold the Python that the completion probe needs
MEMORY_SHARE = 0.9  # of the declared RAM, where the inventory says nothing: the kubelet and daemons need the rest


@dataclass(frozen=True, slots=True)
class Cluster:
    """`nodes` machines of `gpus_per_node`; memory and shared memory in Kubernetes' spelling; times in seconds."""

    namespace: str
    nodes: int
    gpus_per_node: int
    gpu_resource: str
    runtime_class: str | None
    memory: str
    cpus: int
    shm: str
    image: str
    user: int | None
    group: int | None
    models: str  # the folder with all checkpoints, at the same path in the pods
    storage: Storage
    mesh: str
    many_nodes: str
    model: str  # its served name, for the completion probe
    start_s: int
    watched: bool
    every_s: int
    deadline_s: int
    failures: int

    @property
    def is_group(self) -> bool:
        """Whether one release spans several pods."""
        return self.nodes > 1


def cluster(inventory: Inventory) -> Cluster:
    """The cluster that `inventory` asks for."""
    kubernetes, container = declared(inventory)
    head, nodes = inventory.hosts[0], len(inventory.hosts)
    watch = inventory.serving.watch
    user, group = _user(container)
    ranks = inventory.engine.tensor_parallel * inventory.engine.pipeline_parallel
    return Cluster(
        namespace=kubernetes.namespace,
        nodes=nodes,
        gpus_per_node=_gpus(inventory, ranks, nodes),
        gpu_resource=kubernetes.gpu_resource,
        runtime_class=kubernetes.runtime_class if head.gpus else None,
        memory=kubernetes.memory or f"{int(head.ram_gib * MEMORY_SHARE)}Gi",
        cpus=max(1, head.cpu_cores // 2),
        shm=f"{int(container.shm_gib * 1024)}Mi",
        image=container.image,
        user=user,
        group=group,
        models=f"{head.root}/models",
        storage=kubernetes.storage,
        mesh=kubernetes.mesh,
        many_nodes=kubernetes.many_nodes,
        model=inventory.model.catalog,
        # Without a measured disk: a budget that moved with a measurement would make new pods at the next run.
        start_s=math.ceil(start_budget(inventory).seconds),
        watched=watch.enabled,
        every_s=watch.every_s,
        deadline_s=watch.deadline_s,
        failures=watch.failures,
    )


def check(inventory: Inventory) -> None:
    """BadInput for what the manifests can't express, or could only express unsafely."""
    kubernetes, container = declared(inventory)
    if inventory.engine.kind not in PYTHON_ENGINES:
        raise bad(
            inventory,
            f"the completion probe runs in the engine's image and needs its python3; {inventory.engine.kind} has none",
            "engine.kind",
            f"one of: {', '.join(PYTHON_ENGINES)}",
        )
    if container.ipc == "host":
        raise bad(inventory, "ipc: host opens the node's memory to the pod", "container.ipc", "shm_gib serves as well")
    if container.mounts:
        told = "a folder of the node in a pod is a hostPath: a security risk, and bound to one node"
        raise bad(inventory, told, "container.mounts", "put it into the image, or below the weights' folder")
    if inventory.serving.gateway.image is None:
        raise bad(inventory, "the gateway is a pod too", "gateway.image", "name nginx with its perl module, by digest")
    if len(inventory.hosts) > 1 and kubernetes.storage.local_path is not None:
        told = "a local volume is one node's disk, and several nodes need the weights"
        raise bad(inventory, told, "kubernetes.storage", "name a storage_class that several nodes can mount")
    if len(inventory.hosts) > 1 and kubernetes.mesh != "none":
        told = "the ranks' own traffic would pass the mesh's proxies"
        raise bad(inventory, told, "kubernetes.mesh", "none; where ranks on several nodes must be encrypted, below IP")
    if len(inventory.hosts) > 1 and inventory.engine.kind != "vllm":
        raise bad(inventory, "only vLLM's launch across nodes is built", "engine.kind", "vllm, or one node")
    cluster(inventory)


def real_images(inventory: Inventory) -> None:
    """BadInput for the stand-in digest of a shipped example: nothing could be pulled by it."""
    images = {
        "container.image": declared(inventory)[1].image,
        "gateway.image": inventory.serving.gateway.image or "",
    }
    for at, image in images.items():
        if image.endswith("@sha256:" + "0" * 64):
            fix = "the digest of the image that you run, as `docker image inspect` shows it under RepoDigests"
            raise bad(inventory, f"{image} is a stand-in, not an image", at, fix)


def declared(inventory: Inventory) -> tuple[Kubernetes, Container]:
    """The two blocks that `runtime: kubernetes` brings."""
    kubernetes, container = inventory.serving.kubernetes, inventory.serving.container
    if inventory.serving.runtime != "kubernetes" or kubernetes is None or container is None:
        raise bad(inventory, "it is not served by a cluster", "runtime", "write runtime: kubernetes and its block")
    return kubernetes, container


def _gpus(inventory: Inventory, ranks: int, nodes: int) -> int:
    held = min(host.gpus for host in inventory.hosts)
    if not held:
        return 0
    if ranks % nodes or ranks // nodes > held:
        told = f"{ranks} ranks don't divide over {nodes} nodes of {held} GPUs"
        raise bad(inventory, told, "engine.tensor_parallel", "tensor x pipeline parallel = nodes x GPUs of each")
    return ranks // nodes


def _user(container: Container) -> tuple[int | None, int | None]:
    user, _, group = (container.user or "").partition(":")
    return (int(user) if user else None, int(group or user) if user else None)


def bad(inventory: Inventory, what: str, at: str, fix: str) -> BadInput:
    """A fault of the inventory's serving block, or of its engine."""
    prefix = "" if at.startswith("engine.") else "serving."
    return BadInput(what, where=f"inventory {inventory.name}: {prefix}{at}", fix=fix)
