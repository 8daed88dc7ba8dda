"""A stand-in for a Kubernetes API server, for a real kubectl: discovery, server-side apply, watch, logs, delete.

It is a fake.  What it shows is what kubectl sends, and how it reads answers; objects are checked against Kubernetes'
own schemas, strictly.  It has no controllers, no scheduler and no nodes: pods and status are what a test puts there.
Apply is a merge of maps that replaces lists whole, one manager's fields; defaults are not filled in.
"""

import copy
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.kubernetes.validating import VERSIONS, faults

KINDS = {  # group/version: (kind, plural, namespaced)
    "v1": (
        ("Namespace", "namespaces", False), ("PersistentVolume", "persistentvolumes", False), ("Pod", "pods", True),
        ("PersistentVolumeClaim", "persistentvolumeclaims", True), ("Secret", "secrets", True),
        ("ConfigMap", "configmaps", True), ("Service", "services", True), ("ServiceAccount", "serviceaccounts", True),
    ),
    "apps/v1": (("Deployment", "deployments", True), ("ReplicaSet", "replicasets", True)),
    "networking.k8s.io/v1": (("NetworkPolicy", "networkpolicies", True),),
    "policy/v1": (("PodDisruptionBudget", "poddisruptionbudgets", True),),
    "leaderworkerset.x-k8s.io/v1": (("LeaderWorkerSet", "leaderworkersets", True),),
}  # fmt: skip
Key = tuple[str, str, str, str]  # group/version, plural, namespace, name


class Refusal(Exception):
    """An answer of the API that is an error, as a Status."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.body = {
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
            "message": message, "details": details,
        }  # fmt: skip


class Cluster:
    """The objects, and every request that was made; `without` are API groups that this cluster lacks."""

    def __init__(self, minor: str = "36", *, without: tuple[str, ...] = ()) -> None:
        self.minor = minor
        self.kinds = {api: kinds for api, kinds in KINDS.items() if api.partition("/")[0] not in without}
        self.objects: dict[Key, dict[str, Any]] = {}
        self.applied: dict[Key, dict[str, Any]] = {}
        self.logs: dict[str, str] = {}
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[str] = []
        self.version = 100
        self.lock = threading.RLock()

    def put(self, api: str, plural: str, one: dict[str, Any]) -> None:
        """What a controller or a kubelet would have written."""
        with self.lock:
            self.version += 1
            body = copy.deepcopy(one)
            body["metadata"]["resourceVersion"] = str(self.version)
            self.objects[(api, plural, body["metadata"].get("namespace", ""), body["metadata"]["name"])] = body

    def get(self, plural: str, name: str, namespace: str = "beachhead") -> dict[str, Any] | None:
        with self.lock:
            return next((o for k, o in self.objects.items() if k[1:] == (plural, namespace, name)), None)

    def drop(self, plural: str, name: str, namespace: str = "beachhead") -> None:
        with self.lock:
            for key in [key for key in self.objects if key[1:] == (plural, namespace, name)]:
                del self.objects[key]
                self.applied.pop(key, None)
                self.version += 1

    def apply(self, key: Key, body: dict[str, Any], query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Server-side apply, strict, forced; a dry run changes nothing."""
        if query.get("fieldValidation") == "Strict" and (found := faults(body, VERSIONS[-1])):
            said = ", ".join(found)
            raise Refusal(400, "BadRequest", f"failed to create typed patch object: {said}")
        with self.lock:
            if key[2] and ("v1", "namespaces", "", key[2]) not in self.objects:
                raise Refusal(404, "NotFound", f'namespaces "{key[2]}" not found', name=key[2], kind="namespaces")
            before = self.objects.get(key)
            merged = merge(prune(before or {}, self.applied.get(key, {}), body), body)
            same = before is not None and {k: v for k, v in merged.items() if k != "metadata"} == {
                k: v for k, v in before.items() if k != "metadata"
            } and merged["metadata"] == before["metadata"]  # fmt: skip
            if not same:
                old = (before or {}).get("metadata", {}).get("generation", 0)
                merged["metadata"] |= {"generation": old + 1, "uid": f"uid-{key[1]}-{key[3]}",
                                       "creationTimestamp": "2026-11-22T00:00:00Z"}  # fmt: skip
                merged["metadata"]["resourceVersion"] = str(self.version + 1)
            if query.get("dryRun") != "All" and not same:
                self.version += 1
                self.objects[key], self.applied[key] = merged, copy.deepcopy(body)
            return (200 if before else 201), copy.deepcopy(merged)

    def replace(self, key: Key, operations: list[dict[str, Any]]) -> dict[str, Any]:
        """A JSON patch, of which only `replace` is known: what `rollout undo` sends."""
        with self.lock:
            for operation in operations:
                if operation["op"] != "replace":
                    raise Refusal(422, "Invalid", f"the stand-in has no {operation['op']}")
                *path, last = operation["path"].strip("/").split("/")
                place = self.objects[key]
                for part in path:
                    place = place[part]
                place[last] = operation["value"]
            self.version += 1
            self.objects[key]["metadata"]["resourceVersion"] = str(self.version)
            return copy.deepcopy(self.objects[key])

    def delete(self, key: Key) -> None:
        """The object and, of a workload, its pods: at once."""
        with self.lock:
            if key not in self.objects:
                raise Refusal(404, "NotFound", f'{key[1]} "{key[3]}" not found', name=key[3], kind=key[1])
            if key[1] in ("deployments", "leaderworkersets"):
                chosen = {"app.kubernetes.io/instance": key[3]}
                for pod in self.matching("v1", "pods", key[2], chosen):
                    self.drop("pods", pod["metadata"]["name"], key[2])
            self.drop(key[1], key[3], key[2])

    def matching(self, api: str, plural: str, namespace: str, labels: dict[str, str], name: str = "") -> list[Any]:
        with self.lock:
            return [
                copy.deepcopy(one)
                for key, one in sorted(self.objects.items())
                if key[:2] == (api, plural) and (not namespace or key[2] == namespace) and (not name or key[3] == name)
                and labels.items() <= one["metadata"].get("labels", {}).items()
            ]  # fmt: skip


def merge(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return copy.deepcopy(above)
    return {k: merge(below[k], above[k]) if k in below and k in above else copy.deepcopy(above.get(k, below.get(k)))
            for k in {**below, **above}}  # fmt: skip


def prune(current: dict[str, Any], last: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """What the manager set before and no longer sets is taken away."""
    kept = {}
    for key, value in current.items():
        if key in last and key not in now:
            continue
        inner = isinstance(value, dict) and isinstance(last.get(key), dict) and isinstance(now.get(key), dict)
        kept[key] = prune(value, last[key], now[key]) if inner else value
    return kept


def serve(cluster: Cluster) -> ThreadingHTTPServer:
    """The cluster at a free port of the loopback, until `shutdown`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"cluster": cluster}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def kubeconfig(server: ThreadingHTTPServer, file: Path) -> Path:
    """A kubeconfig whose only context leads to the server."""
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "nobody"}}],
        "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "nobody", "user": {}}],
    }  # fmt: skip
    file.write_text(yaml.safe_dump(config))
    return file


class Handler(BaseHTTPRequestHandler):
    """One request."""

    cluster: Cluster
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def _any(self) -> None:
        said = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(said.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.cluster.asked.append((self.command, self.path))
        self.cluster.bodies.append(body)
        try:
            self._answer(said.path.strip("/").split("/"), query, body)
        except Refusal as refusal:
            self._json(refusal.code, refusal.body)
        except BrokenPipeError:
            pass

    do_GET = do_PATCH = do_DELETE = do_POST = _any  # noqa: N815

    def _answer(self, path: list[str], query: dict[str, str], body: str) -> None:
        fixed = self._discovery(path)
        if fixed is not None:
            return self._json(200, fixed)
        api, rest = ("v1", path[2:]) if path[0] == "api" else ("/".join(path[1:3]), path[3:])
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces":
            namespace, rest = rest[1], rest[2:]
        plural, name, sub = rest[0], (rest[1] if len(rest) > 1 else ""), (rest[2] if len(rest) > 2 else "")
        if plural not in {kind[1] for kind in self.cluster.kinds.get(api, ())}:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        key = (api, plural, namespace, name)
        if sub == "log":
            return self._log(key, query)
        if self.command == "PATCH" and self.headers["Content-Type"] == "application/json-patch+json":
            return self._json(200, self.cluster.replace(key, json.loads(body)))
        if self.command == "PATCH":
            if "apply-patch" not in self.headers["Content-Type"]:
                raise Refusal(415, "UnsupportedMediaType", f"the stand-in has no {self.headers['Content-Type']}")
            return self._json(*self.cluster.apply(key, yaml.safe_load(body), query))
        if self.command == "DELETE":
            self.cluster.delete(key)
            return self._json(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})
        return self._read(key, query)

    def _read(self, key: Key, query: dict[str, str]) -> None:
        api, plural, namespace, name = key
        if name and (key not in self.cluster.objects):
            group = f"{api.partition('/')[0]}" if "/" in api else ""
            said = f'{plural}{"." + group if group else ""} "{name}" not found'
            raise Refusal(404, "NotFound", said, name=name, kind=plural)
        if name:
            return self._json(200, self.cluster.objects[key])
        labels = dict(pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair)
        only = query.get("fieldSelector", "").removeprefix("metadata.name=")
        if query.get("watch") in ("true", "1"):
            return self._watch(key, labels, only, float(query.get("timeoutSeconds", 30)))
        kind = next(kind for kind, known, _ in self.cluster.kinds[api] if known == plural)
        found = self.cluster.matching(api, plural, namespace, labels, only)
        version = {"resourceVersion": str(self.cluster.version)}
        return self._json(200, {"kind": f"{kind}List", "apiVersion": api, "metadata": version, "items": found})

    def _watch(self, key: Key, labels: dict[str, str], only: str, seconds: float) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        known = {one["metadata"]["name"]: one for one in self.cluster.matching(*key[:3], labels, only)}
        ends = time.monotonic() + min(seconds, 60)
        while time.monotonic() < ends:
            now = {one["metadata"]["name"]: one for one in self.cluster.matching(*key[:3], labels, only)}
            for event in _events(known, now):
                self.wfile.write(json.dumps(event).encode() + b"\n")
            self.wfile.flush()
            known = now
            time.sleep(0.05)

    def _log(self, key: Key, query: dict[str, str]) -> None:
        text = self.cluster.logs.get(key[3] + (":previous" if query.get("previous") == "true" else ""))
        if text is None:
            said = f'container "engine" in pod "{key[3]}" is waiting to start: ContainerCreating'
            raise Refusal(400, "BadRequest", said)
        if "tailLines" in query:
            text = "\n".join(text.splitlines()[-int(query["tailLines"]) :]) + "\n"
        self._send(200, "text/plain", text.encode())

    def _discovery(self, path: list[str]) -> dict[str, Any] | None:
        kinds, where = self.cluster.kinds, "/".join(path)
        groups = [api for api in kinds if "/" in api]
        if where == "version":
            full = f"v1.{self.cluster.minor}.0"
            return {"major": "1", "minor": self.cluster.minor, "gitVersion": full, "platform": "linux/amd64"}
        if where == "api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if where == "apis":
            named = [{"groupVersion": api, "version": api.partition("/")[2]} for api in groups]
            listed = [
                {"name": api.partition("/")[0], "versions": [one], "preferredVersion": one}
                for api, one in zip(groups, named, strict=True)
            ]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
        api = "v1" if where == "api/v1" else where.removeprefix("apis/")
        if api in kinds:
            verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
            listed = [
                {"name": plural, "singularName": kind.lower(), "namespaced": inside, "kind": kind, "verbs": verbs}
                for kind, plural, inside in kinds[api]
            ]
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api, "resources": listed}
        if where == "openapi/v3":
            paths = {_place(api): {"serverRelativeURL": f"/openapi/v3/{_place(api)}?hash=1"} for api in kinds}
            return {"paths": paths}
        return self._openapi(where.removeprefix("openapi/v3/")) if where.startswith("openapi/v3/") else None

    def _openapi(self, place: str) -> dict[str, Any] | None:
        """That every kind takes fieldValidation, which is what kubectl looks here for before it leaves it to us."""
        api = next((api for api in self.cluster.kinds if _place(api) == place), None)
        if api is None:
            return None
        group, _, version = api.rpartition("/")
        paths = {
            f"/{place}/{plural}/{{name}}": {
                "patch": {
                    "x-kubernetes-group-version-kind": {"group": group, "version": version, "kind": kind},
                    "parameters": [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}],
                    "responses": {},
                }
            }
            for kind, plural, _ in self.cluster.kinds[api]
        }
        return {"openapi": "3.0.0", "info": {"title": "stand-in", "version": "0"}, "paths": paths}

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _events(before: dict[str, Any], now: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, one in now.items():
        if before.get(name) != one:
            yield {"type": "MODIFIED" if name in before else "ADDED", "object": one}
    for name in before.keys() - now.keys():
        yield {"type": "DELETED", "object": before[name]}


def _place(api: str) -> str:
    return "api/v1" if api == "v1" else f"apis/{api}"
