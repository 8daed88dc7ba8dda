"""What a pod may do: nothing that serving doesn't need."""

from __future__ import annotations

from tasks.kubernetes.objects import Manifest


def pod_security(user: int | None, group: int | None) -> Manifest:
    """Of the pod.  Without a declared user the image's own is taken, which for vLLM's image is root."""
    found: Manifest = {"seccompProfile": {"type": "RuntimeDefault"}}
    if user is not None:
        found |= {"runAsUser": user, "runAsGroup": group, "fsGroup": group, "runAsNonRoot": user != 0}
    return found


def container_security() -> Manifest:
    """Of each container."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
