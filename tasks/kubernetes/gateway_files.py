"""The gateway's files for a cluster: nginx's own configuration, with the live Service as its upstream."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from inventories.schema import Inventory
from tasks.facts.base import REMOTE
from tasks.gateway.nginx import mark_conf, render
from tasks.gateway.plan import gateway_folder, gateway_plan
from tasks.kubernetes.cluster import Cluster
from tasks.kubernetes.gateway import upstream
from tasks.kubernetes.names import ENGINE_PORT, GATEWAY_PORT


def gateway_files(inventory: Inventory, cluster: Cluster) -> tuple[str, dict[str, str]]:
    """Their folder in the pod, and each file's text by its path below; none of them is secret."""
    head = inventory.hosts[0]
    plan = replace(gateway_plan(inventory, head, None), listens=(f"0.0.0.0:{GATEWAY_PORT}",))
    conf, keys = render(plan), (REMOTE / "keys.pm").read_text(encoding="utf-8")
    mark = hashlib.sha256("\0".join((conf, keys)).encode()).hexdigest()[:12]
    files = {
        "nginx.conf": conf,
        "mark.conf": mark_conf(plan, mark),
        "upstream.conf": upstream(cluster, ENGINE_PORT),
        f"conf-{mark}/keys.pm": keys,
    }
    return gateway_folder(head), files
