"""The engine of one slot: a Deployment on one node, a LeaderWorkerSet on several.

Strategy Recreate and one replica: a rolling update would ask for the GPUs a second time while the first pod holds
them.  Blue and green are two workloads, one a slot, so that the proven pods themselves are promoted and never a copy.
"""

from __future__ import annotations

from tasks.kubernetes.cluster import Cluster
from tasks.kubernetes.many_nodes import commands
from tasks.kubernetes.names import ENGINE, RELEASE, SLOT, engine_name, managed, slot_selector
from tasks.kubernetes.objects import Manifest, manifest
from tasks.kubernetes.pods import head, literal, worker
from tasks.releases import Release, Slot

GROUPS = "leaderworkerset.x-k8s.io/v1"
PROGRESS_SPARE_S = 600  # pulling an image of some 10 GiB, before the start budget begins to count


def workload(cluster: Cluster, release: Release, slot: Slot) -> Manifest:
    """What runs a release in a slot."""
    return _group(cluster, release, slot) if cluster.is_group else _deployment(cluster, release, slot)


def resource(cluster: Cluster, port: int) -> str:
    """The workload of a slot as kubectl names it."""
    return f"{'leaderworkerset' if cluster.is_group else 'deployment'}/{engine_name(port)}"


def _deployment(cluster: Cluster, release: Release, slot: Slot) -> Manifest:
    return manifest(
        "Deployment",
        engine_name(slot.port),
        cluster.namespace,
        {**managed(ENGINE), SLOT: str(slot.port)},
        api="apps/v1",
        annotations={RELEASE: release.id},
        spec={
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": cluster.start_s + PROGRESS_SPARE_S,
            "selector": {"matchLabels": slot_selector(slot.port)},
            "template": head(cluster, release, slot, _argv(release, slot)),
        },
    )


def _group(cluster: Cluster, release: Release, slot: Slot) -> Manifest:
    first, further = commands(cluster, _argv(release, slot))
    return manifest(
        "LeaderWorkerSet",
        engine_name(slot.port),
        cluster.namespace,
        {**managed(ENGINE), SLOT: str(slot.port)},
        api=GROUPS,
        annotations={RELEASE: release.id},
        spec={
            "replicas": 1,
            "startupPolicy": "LeaderCreated",
            "rolloutStrategy": {
                "type": "RollingUpdate",
                "rollingUpdateConfiguration": {"maxUnavailable": 1, "maxSurge": 0},
            },
            "leaderWorkerTemplate": {
                "size": cluster.nodes,
                "restartPolicy": "RecreateGroupOnPodRestart",
                "leaderTemplate": head(cluster, release, slot, first),
                "workerTemplate": worker(cluster, release, slot, further),
            },
        },
    )


def _argv(release: Release, slot: Slot) -> tuple[str, ...]:
    return tuple(literal(word) for word in release.argv(slot.port))
