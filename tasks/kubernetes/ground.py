"""What stands before any release: namespace, service accounts, the claim for the weights, the probe's code."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.kubernetes.cluster import Cluster
from tasks.kubernetes.mesh import namespace_labels
from tasks.kubernetes.names import ENGINE, GATEWAY, MANAGER, MODELS, managed
from tasks.kubernetes.objects import Manifest, manifest
from tasks.kubernetes.probes import script


def ground(cluster: Cluster) -> Iterator[Manifest]:
    """In the order in which they can be made."""
    yield _namespace(cluster)
    for name in (ENGINE, GATEWAY):
        yield manifest("ServiceAccount", name, cluster.namespace, managed(name), automountServiceAccountToken=False)
    yield from storage(cluster)
    yield script(cluster)


def _namespace(cluster: Cluster) -> Manifest:
    """Pod Security enforces baseline, and warns of what restricted would refuse, such as an image that runs as root."""
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("warn", "audit")}
    labels = {**managed(MANAGER), "pod-security.kubernetes.io/enforce": "baseline", **levels}
    return manifest("Namespace", cluster.namespace, None, {**labels, **namespace_labels(cluster)})


def storage(cluster: Cluster) -> Iterator[Manifest]:
    """A claim; with a local path the volume too, bound to its node, since no provisioner makes those."""
    asked = cluster.storage
    modes = ["ReadWriteMany"] if cluster.is_group else ["ReadWriteOnce"]
    spec: Manifest = {"accessModes": modes, "resources": {"requests": {"storage": asked.size}}}
    if asked.local_path is not None:
        volume = f"{cluster.namespace}-{asked.claim}"
        yield _local_volume(cluster, volume)
        spec |= {"storageClassName": "", "volumeName": volume}
    elif asked.storage_class is not None:
        spec["storageClassName"] = asked.storage_class
    yield manifest("PersistentVolumeClaim", asked.claim, cluster.namespace, managed(MODELS), spec=spec)


def _local_volume(cluster: Cluster, name: str) -> Manifest:
    asked = cluster.storage
    node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [asked.node]}
    return manifest(
        "PersistentVolume",
        name,
        None,
        managed(MODELS),
        spec={
            "capacity": {"storage": asked.size},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "local": {"path": asked.local_path},
            "claimRef": {"namespace": cluster.namespace, "name": asked.claim},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [node]}]}},
        },
    )
