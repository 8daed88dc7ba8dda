"""One pod of the engine: the same command line as in any other runtime, in the declared image."""

from __future__ import annotations

from collections.abc import Sequence

from inventories.errors import BadInput
from tasks.kubernetes.cluster import Cluster
from tasks.kubernetes.mesh import pod_annotations
from tasks.kubernetes.names import ENGINE, KEY_SECRET, RELEASE, ROLE, engine_labels
from tasks.kubernetes.objects import Manifest
from tasks.kubernetes.probes import probes
from tasks.kubernetes.security import container_security, pod_security
from tasks.kubernetes.volumes import SCRATCH, mounts, volumes
from tasks.releases import Release, Slot

STOP_S = 60  # vLLM ends its streams at SIGTERM; it is only told to after the gateway has turned away from it
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def listens_outside(release: Release) -> None:
    """BadInput where the flags bind the pod's loopback: neither kubelet nor gateway would reach it."""
    words = release.arguments
    if "--host" in words and words[words.index("--host") + 1] in LOOPBACK:
        raise BadInput(
            "the engine's flags bind the pod's loopback, where neither the kubelet nor the gateway reaches it",
            where=f"release {release.id}: --host",
            fix="with runtime: kubernetes it has to listen on 0.0.0.0; the NetworkPolicy keeps others away",
        )


def literal(word: str) -> str:
    """A word that the kubelet gives to the process as it is: $(NAME) would be filled in from the environment."""
    return word.replace("$(", "$$(")


def head(cluster: Cluster, release: Release, slot: Slot, command: Sequence[str]) -> Manifest:
    """The pod template whose server answers requests."""
    listens_outside(release)
    container = {
        **_container(cluster, release, command),
        "ports": [{"name": "http", "containerPort": slot.port}],
        **probes(cluster, slot.port),
    }
    return _template(cluster, release, slot, "head", container)


def worker(cluster: Cluster, release: Release, slot: Slot, command: Sequence[str]) -> Manifest:
    """The pod template of further ranks: it answers nobody, and ends when the head does."""
    return _template(cluster, release, slot, "worker", _container(cluster, release, command))


def _container(cluster: Cluster, release: Release, command: Sequence[str]) -> Manifest:
    limits: Manifest = {"memory": cluster.memory}
    if cluster.gpus_per_node:
        limits[cluster.gpu_resource] = cluster.gpus_per_node
    plain = {**release.env, "HOME": SCRATCH}  # caches of kernels and of the hub go where it may write
    key = {"name": "VLLM_API_KEY", "valueFrom": {"secretKeyRef": {"name": KEY_SECRET, "key": "api-key"}}}
    return {
        "name": ENGINE,
        "image": cluster.image,
        "imagePullPolicy": "IfNotPresent",
        "command": [command[0]],
        "args": list(command[1:]),
        "env": [*({"name": name, "value": literal(value)} for name, value in sorted(plain.items())), key],
        "resources": {"limits": limits, "requests": {"cpu": cluster.cpus, **limits}},
        "securityContext": container_security(),
        "volumeMounts": mounts(cluster),
    }


def _template(cluster: Cluster, release: Release, slot: Slot, role: str, container: Manifest) -> Manifest:
    spec: Manifest = {
        "serviceAccountName": ENGINE,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": STOP_S,
        "securityContext": pod_security(cluster.user, cluster.group),
        "containers": [container],
        "volumes": volumes(cluster),
    }
    if cluster.runtime_class:
        spec["runtimeClassName"] = cluster.runtime_class
    labels = {**engine_labels(release, slot), ROLE: role}
    noted = {RELEASE: release.id, **pod_annotations(cluster.mesh)}
    return {"metadata": {"labels": labels, "annotations": noted}, "spec": spec}
