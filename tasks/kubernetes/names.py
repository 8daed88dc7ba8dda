"""Names and labels of everything that Beachhead puts into a cluster."""

from __future__ import annotations

from tasks.releases import Release, Slot

MANAGER = "beachhead"  # field manager of server-side apply: what it set is ours
RELEASE = "beachhead/release"
SLOT = "beachhead/slot"
ROLE = "beachhead/role"  # head answers requests; worker holds further ranks of the same release
ENGINE, GATEWAY = "engine", "gateway"
ENGINE_PORT = 8000  # of the Service that leads to the live release
GATEWAY_PORT = 8443
NOTHING_LIVE = "none"
KEY_SECRET = "engine-key"
PROBE = "completion-probe"
MODELS = "weights"

Labels = dict[str, str]


def app(component: str) -> Labels:
    """Kubernetes' recommended labels, one set a component; a NetworkPolicy or Service may select by them."""
    return {"app.kubernetes.io/name": component, "app.kubernetes.io/part-of": MANAGER}


def managed(component: str) -> Labels:
    """The labels of an object's own metadata."""
    return {**app(component), "app.kubernetes.io/managed-by": MANAGER}


def engine_name(port: int) -> str:
    """The workload and the Service of one slot."""
    return f"{ENGINE}-{port}"


def engine_labels(release: Release, slot: Slot) -> Labels:
    """The pods of one release in one slot."""
    return {**slot_selector(slot.port), RELEASE: release.id}


def slot_selector(port: int) -> Labels:
    """What a workload selects by: it never changes while the workload lives."""
    return {**app(ENGINE), "app.kubernetes.io/instance": engine_name(port), SLOT: str(port)}


def head_selector(slot: Slot | None) -> Labels:
    """The pod that answers for a release in a slot; without one, no pod at all."""
    release, port = (slot.release, str(slot.port)) if slot else (NOTHING_LIVE, NOTHING_LIVE)
    return {**app(ENGINE), RELEASE: release, SLOT: port, ROLE: "head"}
