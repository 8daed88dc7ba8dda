"""kubectl's command line for one cluster: every word quoted, a deadline on every request."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from inventories.schema import Inventory
from tasks.kubernetes.cluster import declared
from tasks.kubernetes.names import MANAGER

APPLY = ("apply", "--server-side", "--force-conflicts", f"--field-manager={MANAGER}")
# A field that is ours and was changed by another's hand is set back: the inventory is what was signed for.


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Namespace and cluster of every call; `context` and `kubeconfig` are kubectl's own where empty."""

    namespace: str
    context: str = ""
    kubeconfig: str = ""
    request_s: int = 30

    def words(self, *words: str) -> tuple[str, ...]:
        """The command as words."""
        chosen = [f"--kubeconfig={self.kubeconfig}"] * bool(self.kubeconfig) + [f"--context={self.context}"] * bool(
            self.context
        )
        return ("kubectl", *chosen, f"--namespace={self.namespace}", *words)

    def line(self, *words: str) -> str:
        """The command as a shell's line; requests end after `request_s` seconds."""
        return shlex.join(self.words(f"--request-timeout={self.request_s}s", *words))

    def long(self, *words: str) -> str:
        """The same for what waits or streams by its own deadline."""
        return shlex.join(self.words(*words))


def kubectl(inventory: Inventory) -> Kubectl:
    """The cluster of the inventory."""
    kubernetes, _ = declared(inventory)
    return Kubectl(kubernetes.namespace, kubernetes.context or "", kubernetes.kubeconfig or "")


def selector(labels: dict[str, str]) -> str:
    """Labels as kubectl's --selector takes them."""
    return ",".join(f"{name}={value}" for name, value in labels.items())
