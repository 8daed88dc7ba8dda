"""The gateway in the cluster: the same nginx and the same files at the same paths, before the live Service.

One replica: limits are counted in each nginx, and two would let twice as much through.  A new one is ready before the
old one is told to go, and that one lets its streams end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from tasks.kubernetes.cluster import Cluster
from tasks.kubernetes.mesh import pod_annotations
from tasks.kubernetes.names import GATEWAY, GATEWAY_PORT, app, managed
from tasks.kubernetes.objects import Manifest, manifest
from tasks.kubernetes.security import container_security, pod_security

KEYS_SECRET, TLS_SECRET = "gateway-keys", "gateway-tls"
KEYS_FILES, TLS_FILES = ("keys", "upstream_key.conf"), ("server.key", "server.pem")
USER = 101  # nginx's images have it; any other would do, since all that it writes is an emptyDir
SECRET_MODE = 0o440
START = 'ln -sf /dev/stdout "$1/access.log" && ln -sf /dev/stderr "$1/error.log" && mkdir -p "$1/run" "$1/tmp" && '
START += 'exec nginx -e stderr -p "$1" -c "$1/nginx.conf" -g "daemon off;"'


def gateway(
    cluster: Cluster, image: str, folder: str, files: Mapping[str, str], *, tls: bool, stream_s: int, secrets: str = ""
) -> Iterator[Manifest]:
    """`files` by their path below `folder`; `secrets` is their digest, so that a rotated key makes a new pod."""
    data = {_key(path): text for path, text in sorted(files.items())}
    yield manifest("ConfigMap", GATEWAY, cluster.namespace, managed(GATEWAY), data=data)
    mounted = _mounts(folder, tuple(sorted(files)), tls)
    yield _deployment(cluster, image, folder, mounted, tls, stream_s, _mark(files, secrets))
    yield manifest(
        "Service",
        GATEWAY,
        cluster.namespace,
        managed(GATEWAY),
        spec={
            "type": "ClusterIP",
            "selector": app(GATEWAY),
            "ports": [{"name": "https" if tls else "http", "port": GATEWAY_PORT, "targetPort": "gateway"}],
        },
    )


def upstream(cluster: Cluster, port: int) -> str:
    """upstream.conf in a cluster: the live Service, whose selector decides which release answers."""
    server = f"engine.{cluster.namespace}.svc:{port}"
    return f"upstream engine {{ server {server} max_fails=0; }}\nmap $pid $engine_is_live {{ default 1; }}\n"


def _key(path: str) -> str:
    return path.replace("/", ".")


def _mark(files: Mapping[str, str], secrets: str) -> str:
    return hashlib.sha256(repr((sorted(files.items()), secrets)).encode()).hexdigest()[:16]


def _mounts(folder: str, files: tuple[str, ...], tls: bool) -> list[Manifest]:
    parts = [("plain", _key(path), path) for path in files]
    parts += [(KEYS_SECRET, name, name) for name in KEYS_FILES]
    parts += [(TLS_SECRET, name, name) for name in TLS_FILES] if tls else []
    single = [
        {"name": volume, "mountPath": f"{folder}/{path}", "subPath": key, "readOnly": True}
        for volume, key, path in parts
    ]
    return [{"name": "work", "mountPath": folder}, {"name": "scratch", "mountPath": "/tmp"}, *single]  # noqa: S108


def _deployment(
    cluster: Cluster, image: str, folder: str, mounts: list[Manifest], tls: bool, stream_s: int, mark: str
) -> Manifest:
    secret = {"defaultMode": SECRET_MODE}
    volumes: list[Manifest] = [
        {"name": "work", "emptyDir": {}},
        {"name": "scratch", "emptyDir": {}},
        {"name": "plain", "configMap": {"name": GATEWAY}},
        {"name": KEYS_SECRET, "secret": {"secretName": KEYS_SECRET, **secret}},
    ]
    if tls:
        volumes.append({"name": TLS_SECRET, "secret": {"secretName": TLS_SECRET, **secret}})
    noted = {"beachhead/configuration": mark, **pod_annotations(cluster.mesh)}
    pod = {
        "serviceAccountName": GATEWAY,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": stream_s + 30,
        "securityContext": pod_security(USER, USER),
        "containers": [_container(image, folder, mounts, stream_s)],
        "volumes": volumes,
    }
    return manifest(
        "Deployment",
        GATEWAY,
        cluster.namespace,
        managed(GATEWAY),
        api="apps/v1",
        spec={
            "replicas": 1,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": 300,
            "selector": {"matchLabels": app(GATEWAY)},
            "template": {"metadata": {"labels": app(GATEWAY), "annotations": noted}, "spec": pod},
        },
    )


def _container(image: str, folder: str, mounts: list[Manifest], stream_s: int) -> Manifest:
    # Every route asks for a key, and the kubelet has none: that the port is open is all that a probe may see.
    listening = {"tcpSocket": {"port": "gateway"}, "periodSeconds": 5}
    return {
        "name": GATEWAY,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", START, "gateway", folder],
        "ports": [{"name": "gateway", "containerPort": GATEWAY_PORT}],
        "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
        "startupProbe": {**listening, "failureThreshold": 12},
        "livenessProbe": {**listening, "failureThreshold": 3},
        "readinessProbe": {**listening, "failureThreshold": 1},
        "securityContext": container_security(),
        # Out of the Service first; then the graceful stop, waited for here, since SIGTERM would cut the streams.
        "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", f"sleep 5; kill -QUIT 1; sleep {stream_s}"]}}},
        "volumeMounts": mounts,
    }
