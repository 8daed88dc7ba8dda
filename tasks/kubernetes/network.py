"""Who may speak to whom: nobody, but the gateway to the engine, a group's pods to each other, and all to DNS.

A NetworkPolicy holds only where the cluster's network plugin enforces it; the engine's API key is the second lock.
Port-forwarding comes from the node and is not held back by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tasks.kubernetes.cluster import Cluster
from tasks.kubernetes.names import ENGINE, GATEWAY, GATEWAY_PORT, app, managed
from tasks.kubernetes.objects import Manifest, manifest

DNS = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
}
CONTROL_PLANES = {"istio": "istio-system", "linkerd": "linkerd"}


def policies(cluster: Cluster, ports: tuple[int, ...]) -> Iterator[Manifest]:
    """Deny all, then what is needed; `ports` are the engine's in its slots."""
    yield _policy(cluster, "default-deny", {}, ingress=[], egress=[])
    to_engine = [{"protocol": "TCP", "port": port} for port in ports]
    within = {"podSelector": {"matchLabels": app(ENGINE)}}
    opened: list[Manifest] = [{"from": [{"podSelector": {"matchLabels": app(GATEWAY)}}], "ports": to_engine}]
    if cluster.is_group:  # NCCL and the launch choose their ports themselves
        opened.append({"from": [within]})
    group = [{"to": [within]}] * cluster.is_group
    yield _policy(cluster, ENGINE, app(ENGINE), ingress=opened, egress=[DNS, *_control_plane(cluster), *group])
    yield _policy(
        cluster,
        GATEWAY,
        app(GATEWAY),
        ingress=[{"ports": [{"protocol": "TCP", "port": GATEWAY_PORT}]}],
        egress=[DNS, *_control_plane(cluster), {"to": [within], "ports": to_engine}],
    )


def _control_plane(cluster: Cluster) -> list[Manifest]:
    """A mesh's sidecars get their certificates from it."""
    if cluster.mesh not in CONTROL_PLANES:
        return []
    named = {"kubernetes.io/metadata.name": CONTROL_PLANES[cluster.mesh]}
    return [{"to": [{"namespaceSelector": {"matchLabels": named}}]}]


def _policy(cluster: Cluster, name: str, selected: Mapping[str, str], **rules: list[Manifest]) -> Manifest:
    chosen = {"matchLabels": dict(selected)} if selected else {}
    spec = {"podSelector": chosen, "policyTypes": ["Ingress", "Egress"], **rules}
    return manifest("NetworkPolicy", name, cluster.namespace, managed(name), api="networking.k8s.io/v1", spec=spec)
