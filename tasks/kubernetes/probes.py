"""When a pod counts as started, as ready, and as dead: by real completions, within the start budget."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from tasks.kubernetes.cluster import Cluster
from tasks.kubernetes.names import ENGINE, PROBE, managed
from tasks.kubernetes.objects import Manifest, manifest

FOLDER = "/etc/beachhead"
FILE = "completion_probe.py"
START_PERIOD_S = 10
FIRST_COMPLETION_S = 300  # a first request may compile kernels
READY_PERIOD_S = 5
SPARE_S = 5  # kubelet's patience beyond the probe's own


def script(cluster: Cluster) -> Manifest:
    """The probe's code, mounted into every engine."""
    code = (Path(__file__).parent / FILE).read_text(encoding="utf-8")
    return manifest("ConfigMap", PROBE, cluster.namespace, managed(ENGINE), data={FILE: code})


def probes(cluster: Cluster, port: int) -> Manifest:
    """startupProbe, readinessProbe, and a livenessProbe where the inventory wants engines watched.

    The other two begin after the first has succeeded.  failureThreshold x periodSeconds covers the budget whole; a
    probe that waits for an answer makes it longer, never shorter.
    """
    found: Manifest = {
        "startupProbe": {
            "exec": _completion(cluster, port, FIRST_COMPLETION_S),
            "periodSeconds": START_PERIOD_S,
            "timeoutSeconds": FIRST_COMPLETION_S + SPARE_S,
            "failureThreshold": math.ceil(cluster.start_s / START_PERIOD_S),
        },
        # Started means that it has answered; from then on /health takes a dead engine out of the Service at once.
        "readinessProbe": {
            "httpGet": {"path": "/health", "port": "http"},
            "periodSeconds": READY_PERIOD_S,
            "timeoutSeconds": READY_PERIOD_S,
            "failureThreshold": 2,
        },
    }
    if cluster.watched:
        found["livenessProbe"] = {
            "exec": _completion(cluster, port, cluster.deadline_s),
            "periodSeconds": cluster.every_s,
            "timeoutSeconds": cluster.deadline_s + SPARE_S,
            "failureThreshold": cluster.failures,
        }
    return found


def _completion(cluster: Cluster, port: int, seconds: int) -> dict[str, Any]:
    return {"command": ["python3", f"{FOLDER}/{FILE}", str(port), str(seconds), cluster.model]}
