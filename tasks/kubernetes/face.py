"""What others reach: the live Service, the gateway before it, and the gateway's port on the serving host's loopback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inventories.schema import Inventory
from tasks.kubernetes.cluster import cluster
from tasks.kubernetes.gateway import KEYS_SECRET, TLS_SECRET
from tasks.kubernetes.kubectl import kubectl
from tasks.kubernetes.names import GATEWAY, GATEWAY_PORT
from tasks.kubernetes.render import front
from tasks.kubernetes.secrets import digest
from tasks.kubernetes.services import live_service
from tasks.operations.base import Operation
from tasks.operations.kubernetes import Applied, SecretThere
from tasks.operations.kubernetes_access import forward
from tasks.operations.kubernetes_rollout import RolledOut
from tasks.releases import Slot


@dataclass(frozen=True)
class ClusterFace:
    """The gateway's secret files by name: `keys` and `upstream_key.conf`, and with TLS `server.pem`, `server.key`."""

    inventory: Inventory
    keys: Mapping[str, str]
    tls: Mapping[str, str]

    def __repr__(self) -> str:
        return f"ClusterFace({self.inventory.name})"

    def operations(self, live: Slot | None) -> Iterator[Operation]:
        """Lead to the release in `live`, or to none; a second time nothing is left to do.

        The selector comes first and is what promotes.  The gateway's pod changes only with its files or keys, so that a
        promotion ends no stream.
        """
        chosen, shape = kubectl(self.inventory), cluster(self.inventory)
        yield Applied("the live Service", chosen, (live_service(shape, live),))
        yield SecretThere(KEYS_SECRET, chosen, self.keys)
        if self.tls:
            yield SecretThere(TLS_SECRET, chosen, self.tls)
        marked = digest({**self.keys, **self.tls})
        yield Applied("the gateway", chosen, tuple(front(self.inventory, shape, marked)))
        yield RolledOut(GATEWAY, chosen)
        root, port = self.inventory.hosts[0].root, self.inventory.serving.live_port
        yield forward(chosen, f"service/{GATEWAY}", port, GATEWAY_PORT, root, GATEWAY)
