"""Everything that one inventory puts into a cluster, in the order in which it can be applied."""

from __future__ import annotations

from collections.abc import Iterator

from inventories.schema import Inventory
from tasks.kubernetes.cluster import Cluster, check, cluster, real_images
from tasks.kubernetes.gateway import KEYS_FILES, KEYS_SECRET, TLS_FILES, TLS_SECRET, gateway
from tasks.kubernetes.gateway_files import gateway_files
from tasks.kubernetes.ground import ground
from tasks.kubernetes.mesh import mesh
from tasks.kubernetes.names import KEY_SECRET
from tasks.kubernetes.network import policies
from tasks.kubernetes.objects import Manifest
from tasks.kubernetes.services import disruptions, live_service
from tasks.kubernetes.workload import workload
from tasks.releases import Release, Slot


def everything(inventory: Inventory, release: Release, slot: Slot) -> list[Manifest]:
    """The whole, as it stands once `release` is live in `slot`; without the Secrets, which are never shown."""
    check(inventory)
    real_images(inventory)
    wanted = cluster(inventory)
    return [
        *around(inventory, wanted),
        workload(wanted, release, slot),
        live_service(wanted, slot),
        *front(inventory, wanted),
    ]


def around(inventory: Inventory, wanted: Cluster) -> Iterator[Manifest]:
    """What stands before and beside any release; nothing of it restarts an engine."""
    yield from ground(wanted)
    yield from policies(wanted, inventory.serving.slots)
    yield disruptions(wanted)
    yield from mesh(wanted)


def front(inventory: Inventory, wanted: Cluster, secrets: str = "") -> Iterator[Manifest]:
    """The gateway; `secrets` is the digest of what its Secrets hold."""
    asked = inventory.serving.gateway
    folder, files = gateway_files(inventory, wanted)
    image, tls = asked.image or "", asked.tls.mode != "off"
    yield from gateway(wanted, image, folder, files, tls=tls, stream_s=asked.stream_s, secrets=secrets)


def secrets_told(inventory: Inventory) -> str:
    """In the place of the Secrets, for a reader: a Secret with a known value in it would be worse than none."""
    shown = [(KEY_SECRET, ("api-key",)), (KEYS_SECRET, KEYS_FILES)]
    if inventory.serving.gateway.tls.mode != "off":
        shown.append((TLS_SECRET, TLS_FILES))
    head = "# Secrets are not printed: `beachhead deploy` and `promote` apply them by standard input; pods wait."
    return "\n".join([head, *(f"#   {name}: {', '.join(keys)}" for name, keys in shown), ""])
