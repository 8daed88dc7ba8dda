"""mTLS between the pods by a service mesh that the cluster has already: Istio or Linkerd.  An option, off by default.

The mesh's own sidecar is put in by its webhook.  Istio's sidecar needs NET_ADMIN at start unless its CNI plugin is
installed, which Pod Security's baseline refuses: install the plugin.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.kubernetes.cluster import Cluster
from tasks.kubernetes.names import ENGINE, GATEWAY, MANAGER, app, managed
from tasks.kubernetes.objects import Manifest, manifest


def namespace_labels(cluster: Cluster) -> dict[str, str]:
    """What tells Istio to put its sidecar into every pod of the namespace."""
    return {"istio-injection": "enabled"} if cluster.mesh == "istio" else {}


def pod_annotations(mesh: str) -> dict[str, str]:
    """What tells Linkerd to do so for a pod; annotations of the namespace are not ours to merge with."""
    return {"linkerd.io/inject": "enabled"} if mesh == "linkerd" else {}


def mesh(cluster: Cluster) -> Iterator[Manifest]:
    """Plain text is refused, and only the gateway's identity reaches the engine."""
    if cluster.mesh == "istio":
        yield from _istio(cluster)
    elif cluster.mesh == "linkerd":
        yield from _linkerd(cluster)


def _istio(cluster: Cluster) -> Iterator[Manifest]:
    yield manifest(
        "PeerAuthentication",
        MANAGER,
        cluster.namespace,
        managed(MANAGER),
        api="security.istio.io/v1",
        spec={
            "selector": {"matchLabels": app(ENGINE)},
            "mtls": {"mode": "STRICT"},
        },
    )
    principal = f"cluster.local/ns/{cluster.namespace}/sa/{GATEWAY}"
    yield manifest(
        "AuthorizationPolicy",
        ENGINE,
        cluster.namespace,
        managed(ENGINE),
        api="security.istio.io/v1",
        spec={
            "selector": {"matchLabels": app(ENGINE)},
            "action": "ALLOW",
            "rules": [{"from": [{"source": {"principals": [principal]}}]}],
        },
    )


def _linkerd(cluster: Cluster) -> Iterator[Manifest]:
    yield manifest(
        "Server",
        ENGINE,
        cluster.namespace,
        managed(ENGINE),
        api="policy.linkerd.io/v1beta3",
        spec={
            "podSelector": {"matchLabels": app(ENGINE)},
            "port": "http",
            "proxyProtocol": "HTTP/1",
            "accessPolicy": "deny",
        },
    )
    identity = f"{GATEWAY}.{cluster.namespace}.serviceaccount.identity.linkerd.cluster.local"
    yield manifest(
        "MeshTLSAuthentication",
        GATEWAY,
        cluster.namespace,
        managed(GATEWAY),
        api="policy.linkerd.io/v1alpha1",
        spec={"identities": [identity]},
    )
    allowed = {"group": "policy.linkerd.io", "kind": "MeshTLSAuthentication", "name": GATEWAY}
    yield manifest(
        "AuthorizationPolicy",
        ENGINE,
        cluster.namespace,
        managed(ENGINE),
        api="policy.linkerd.io/v1alpha1",
        spec={
            "targetRef": {"group": "policy.linkerd.io", "kind": "Server", "name": ENGINE},
            "requiredAuthenticationRefs": [allowed],
        },
    )
