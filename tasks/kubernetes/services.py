"""The Service of the live release, and the budget of disruptions.  Promotion is a change of the selector."""

from __future__ import annotations

from tasks.kubernetes.cluster import Cluster
from tasks.kubernetes.names import ENGINE, ENGINE_PORT, RELEASE, app, head_selector, managed
from tasks.kubernetes.objects import Manifest, manifest
from tasks.releases import Slot


def live_service(cluster: Cluster, live: Slot | None) -> Manifest:
    """Leads to exactly the pod of the release in the slot; to none where nothing is live.

    Connections that exist stay with the pod they were made to: a stream outlives a promotion, until its pod is stopped.
    """
    return manifest(
        "Service",
        ENGINE,
        cluster.namespace,
        managed(ENGINE),
        annotations={RELEASE: head_selector(live)[RELEASE]},
        spec={
            "type": "ClusterIP",
            "selector": head_selector(live),
            "ports": [{"name": "http", "port": ENGINE_PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    )


def disruptions(cluster: Cluster) -> Manifest:
    """No voluntary eviction of an engine: a drained node is a decision, since the model takes minutes to come back."""
    return manifest(
        "PodDisruptionBudget",
        ENGINE,
        cluster.namespace,
        managed(ENGINE),
        api="policy/v1",
        spec={"maxUnavailable": 0, "selector": {"matchLabels": app(ENGINE)}},
    )
