"""What a pod of the engine has mounted: weights read-only, shared memory, scratch, the probe."""

from __future__ import annotations

from tasks.kubernetes.cluster import Cluster
from tasks.kubernetes.names import MODELS, PROBE
from tasks.kubernetes.objects import Manifest
from tasks.kubernetes.probes import FOLDER

SHARED, SCRATCH = "/dev/shm", "/tmp"  # noqa: S108 - inside the pod


def volumes(cluster: Cluster) -> list[Manifest]:
    """The pod's volumes; memory-backed ones count against its memory limit."""
    return [
        {"name": MODELS, "persistentVolumeClaim": {"claimName": cluster.storage.claim, "readOnly": True}},
        {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": cluster.shm}},
        {"name": "scratch", "emptyDir": {}},
        {"name": PROBE, "configMap": {"name": PROBE, "defaultMode": 0o444}},
    ]


def mounts(cluster: Cluster) -> list[Manifest]:
    """Where they stand: the weights at the same path as on a host, so that the flags are the same."""
    return [
        {"name": MODELS, "mountPath": cluster.models, "readOnly": True},
        {"name": "shared-memory", "mountPath": SHARED},
        {"name": "scratch", "mountPath": SCRATCH},
        {"name": PROBE, "mountPath": FOLDER, "readOnly": True},
    ]
