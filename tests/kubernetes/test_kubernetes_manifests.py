"""The manifests of every variant: as recorded, valid for three Kubernetes versions, and safe in what they say."""

import copy
import math
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from inventories.errors import BadInput
from tasks.kubernetes import completion_probe, names, render
from tasks.kubernetes.cluster import cluster
from tasks.kubernetes.gateway import upstream
from tasks.kubernetes.objects import dump
from tasks.kubernetes.probes import START_PERIOD_S
from tasks.kubernetes.render import everything, secrets_told
from tasks.kubernetes.secrets import secret
from tasks.kubernetes.services import live_service
from tasks.kubernetes.workload import workload
from tasks.start_budget import start_budget
from tests.kubernetes.ground import ARGUMENTS, GROUP, IMAGE, VARIANTS, inventory, release, slot
from tests.kubernetes.validating import VERSIONS, faults

SNAPSHOTS = Path(__file__).parent / "snapshots"
Objects = list[dict[str, Any]]


def rendered(variant: str) -> Objects:
    return everything(VARIANTS[variant], release(), slot())


def only(objects: Objects, kind: str, name: str | None = None) -> dict[str, Any]:
    (found,) = [one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"])]
    return found


def engine_pod(objects: Objects) -> dict[str, Any]:
    kinds = {one["kind"] for one in objects}
    if "LeaderWorkerSet" in kinds:
        return only(objects, "LeaderWorkerSet")["spec"]["leaderWorkerTemplate"]["leaderTemplate"]["spec"]
    return only(objects, "Deployment", "engine-8001")["spec"]["template"]["spec"]


def pods(objects: Objects) -> Objects:
    found = []
    for one in objects:
        if one["kind"] == "Deployment":
            found.append(one["spec"]["template"])
        elif one["kind"] == "LeaderWorkerSet":
            group = one["spec"]["leaderWorkerTemplate"]
            found += [group["leaderTemplate"], group["workerTemplate"]]
    return found


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_as_recorded(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for nginx's own files, which have tests of their own."""
    files = {"nginx.conf": "…\n", "upstream.conf": upstream(cluster(VARIANTS[variant]), 8000), "conf-0/keys.pm": "…\n"}
    monkeypatch.setattr(render, "gateway_files", lambda *_: ("/opt/beachhead/gateway", files))
    text, file = dump(rendered(variant)), SNAPSHOTS / f"{variant}.yaml"
    if os.environ.get("WRITE_SNAPSHOTS"):
        SNAPSHOTS.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text(), "look at the difference; WRITE_SNAPSHOTS=1 records it"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_valid_and_reads_back_the_same(variant: str, version: str) -> None:
    objects = rendered(variant)
    assert list(yaml.safe_load_all(dump(objects))) == objects
    found = {f"{one['kind']}/{one['metadata']['name']}": faults(one, version) for one in objects}
    assert len(objects) > 12 and not any(found.values()), found


def _set(where: str, value: Any) -> Any:
    def change(one: dict[str, Any]) -> None:
        *path, last = where.split(".", 1) if where.startswith("data.") else where.split(".")
        for part in path:
            one = one[int(part)] if part.isdigit() else one[part]  # type: ignore[index]
        one[last] = value

    return change


WRONG = [
    ("Deployment", "spec.template.spec.containers.0.resorces", {}, "'resorces' was unexpected"),
    ("Deployment", "spec.replicas", "one", "spec.replicas: 'one' is not of type"),
    ("Deployment", "spec.template.spec.containers.0.startupProbe.failureTreshold", 3, "failureTreshold"),
    ("Deployment", "spec.template.spec.containers.0.ports.0.containerPort", "http", "containerPort: 'http'"),
    ("Deployment", "spec.template.spec.volumes.1.emptyDir", "Memory", "emptyDir: 'Memory'"),
    ("Deployment", "apiVersion", "extensions/v1beta1", "no schema for extensions/v1beta1 Deployment"),
    ("Service", "spec.selectors", {}, "'selectors' was unexpected"),
    ("NetworkPolicy", "spec.policyType", [], "'policyType' was unexpected"),
    ("PodDisruptionBudget", "spec.maxUnavailable", [], "maxUnavailable"),
    ("PersistentVolumeClaim", "spec.resources.request", {}, "'request' was unexpected"),
    ("ConfigMap", "data.completion_probe.py", 7, "7 is not of type"),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("kind", "where", "value", "said"), WRONG)
def test_a_fault_is_refused(kind: str, where: str, value: Any, said: str, version: str) -> None:
    one = copy.deepcopy(next(one for one in rendered("one-node") if one["kind"] == kind))
    assert faults(one, version) == []
    _set(where, value)(one)
    assert any(said in fault for fault in faults(one, version)), faults(one, version)


def test_every_fault_is_listed() -> None:
    one = copy.deepcopy(only(rendered("many-nodes-vllm"), "LeaderWorkerSet"))
    _set("spec.leaderWorkerTemplate.restartPolicy", "Always")(one)
    _set("spec.leaderWorkerTemplate.sise", 2)(one)
    _set("spec.leaderWorkerTemplate.workerTemplate.spec.containers.0.image", 5)(one)
    assert len(faults(one, VERSIONS[-1])) == 3


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_start_budget_is_covered_and_liveness_waits_for_it(variant: str) -> None:
    asked = VARIANTS[variant]
    container = engine_pod(rendered(variant))["containers"][0]
    startup, budget = container["startupProbe"], start_budget(asked).seconds
    assert startup["failureThreshold"] * startup["periodSeconds"] >= budget
    assert startup["failureThreshold"] == math.ceil(budget / START_PERIOD_S)
    assert startup["exec"]["command"][:2] == ["python3", "/etc/beachhead/completion_probe.py"]
    assert startup["exec"]["command"][2:] == ["8001", "300", "kimi-k2-thinking"]
    assert startup["timeoutSeconds"] > 300
    # A liveness probe begins after the startup probe has succeeded; a delay beside it would only hide what it does.
    assert "initialDelaySeconds" not in str(container)
    assert ("livenessProbe" in container) == asked.serving.watch.enabled
    if asked.serving.watch.enabled:
        live, watch = container["livenessProbe"], asked.serving.watch
        assert live["exec"]["command"][3] == str(watch.deadline_s) and live["timeoutSeconds"] > watch.deadline_s
        assert (live["periodSeconds"], live["failureThreshold"]) == (watch.every_s, watch.failures)


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_pod_may_do_what_serving_does_not_need(variant: str) -> None:
    for template in pods(rendered(variant)):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False and "hostNetwork" not in spec and "hostIPC" not in spec
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not [volume for volume in spec["volumes"] if "hostPath" in volume]
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }
            assert "@sha256:" in container["image"] and "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_engine_has_its_weights_read_only_and_shared_memory(variant: str) -> None:
    spec = engine_pod(rendered(variant))
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounts = {mount["mountPath"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    shared = volumes[mounts["/dev/shm"]["name"]]["emptyDir"]
    assert shared["medium"] == "Memory" and shared["sizeLimit"].endswith("Mi")
    weights = mounts["/opt/beachhead/models"]
    assert weights["readOnly"] is True and volumes[weights["name"]]["persistentVolumeClaim"]["readOnly"] is True
    assert release().model_dir.startswith(weights["mountPath"])


def test_without_a_declared_budget_the_reckoned_one_is_covered_and_stays_the_same() -> None:
    probe = engine_pod(everything(inventory(), release(), slot()))["containers"][0]["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] >= start_budget(inventory()).seconds > 600
    assert probe == engine_pod(everything(inventory(), release(), slot()))["containers"][0]["startupProbe"]


def test_gpus_memory_and_runtime_class() -> None:
    spec = engine_pod(rendered("one-node"))
    limits = spec["containers"][0]["resources"]["limits"]
    assert limits == {"memory": "460Gi", "nvidia.com/gpu": 8} and spec["runtimeClassName"] == "nvidia"
    spec = engine_pod(rendered("claim-and-user"))
    assert spec["containers"][0]["resources"]["limits"]["memory"] == "400Gi" and "runtimeClassName" not in spec
    assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"] == 1000


def test_the_command_line_is_the_release_s_own() -> None:
    container = engine_pod(rendered("one-node"))["containers"][0]
    assert [*container["command"], *container["args"]] == list(release().argv(8001))
    given = {one["name"]: one for one in container["env"]}
    assert {name: one["value"] for name, one in given.items() if "value" in one} == {**release().env, "HOME": "/tmp"}
    assert given["VLLM_API_KEY"]["valueFrom"]["secretKeyRef"] == {"name": "engine-key", "key": "api-key"}


def test_the_gateway_s_service_is_the_only_one_that_leads_in() -> None:
    objects = rendered("one-node")
    services = [one for one in objects if one["kind"] == "Service"]
    assert {one["metadata"]["name"] for one in services} == {"engine", "gateway"}
    assert all(one["spec"]["type"] == "ClusterIP" for one in services)
    policies = {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "NetworkPolicy"}
    assert policies["default-deny"] == {
        "podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": []
    }  # fmt: skip
    (rule,) = policies["engine"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": names.app("gateway")}}]
    assert {one["port"] for one in rule["ports"]} == set(VARIANTS["one-node"].serving.slots)
    assert all("from" not in rule for rule in policies["gateway"]["ingress"])


def test_blue_and_green_are_two_workloads_and_promotion_is_the_selector() -> None:
    shape = cluster(VARIANTS["one-node"])
    blue, green = (workload(shape, release(f"{n}" * 12), slot(8000 + n, f"{n}" * 12)) for n in (1, 2))
    assert blue["metadata"]["name"] != green["metadata"]["name"]
    for one in (blue, green):
        assert one["spec"]["strategy"] == {"type": "Recreate"} and one["spec"]["replicas"] == 1
        labels = one["spec"]["template"]["metadata"]["labels"]
        assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()
    for n, one, other in ((1, blue, green), (2, green, blue)):
        chosen = live_service(shape, slot(8000 + n, f"{n}" * 12))["spec"]["selector"]
        assert chosen.items() <= one["spec"]["template"]["metadata"]["labels"].items()
        assert not chosen.items() <= other["spec"]["template"]["metadata"]["labels"].items()
        assert not live_service(shape, None)["spec"]["selector"].items() <= labels.items()


def test_many_nodes_by_vllm_s_own_launch() -> None:
    group = only(rendered("many-nodes-vllm"), "LeaderWorkerSet")["spec"]["leaderWorkerTemplate"]
    head, worker = (group[f"{role}Template"]["spec"]["containers"][0] for role in ("leader", "worker"))
    assert group["size"] == 2 and group["restartPolicy"] == "RecreateGroupOnPodRestart"
    assert head["args"][:3] == ["-m", "vllm.entrypoints.cli.main", "serve"]
    flags = ["--nnodes", "2", "--node-rank", "$(LWS_WORKER_INDEX)", "--master-addr", "$(LWS_LEADER_ADDRESS)"]
    assert head["args"][-6:] == flags and worker["args"] == [*head["args"], "--headless"]
    assert set(ARGUMENTS[2:]) - {"{port}"} <= set(head["args"])
    assert "startupProbe" in head and "ports" not in worker and "startupProbe" not in worker
    assert head["resources"]["limits"]["nvidia.com/gpu"] == 8
    assert only(rendered("many-nodes-vllm"), "PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteMany"]


def test_many_nodes_by_ray() -> None:
    group = only(rendered("many-nodes-ray"), "LeaderWorkerSet")["spec"]["leaderWorkerTemplate"]
    head, worker = (group[f"{role}Template"]["spec"]["containers"][0] for role in ("leader", "worker"))
    # The flags are arguments of the shell and never its text: a hostile one is not run.
    assert head["args"][0] == "-c" and head["args"][1].endswith('exec "$@"')
    assert head["args"][3:-2] == list(release().argv(8001))
    assert head["args"][-2:] == ["--distributed-executor-backend", "ray"]
    assert worker["args"][-1] == "$(LWS_LEADER_ADDRESS)"


@pytest.mark.parametrize("version", VERSIONS)
def test_secrets_are_named_and_never_shown(version: str) -> None:
    assert not [one for variant in VARIANTS for one in rendered(variant) if one["kind"] == "Secret"]
    told = secrets_told(VARIANTS["one-node"])
    assert all(line.startswith("#") for line in told.splitlines())
    assert all(name in told for name in ("engine-key", "gateway-keys", "gateway-tls"))
    assert "gateway-tls" not in secrets_told(VARIANTS["claim-and-user"])
    assert faults(secret("engine-key", "beachhead", {"api-key": "x" * 43}), version) == []


@pytest.mark.parametrize("mesh", ["istio", "linkerd"])
def test_a_mesh_encrypts_and_lets_the_gateway_s_identity_in(mesh: str) -> None:
    objects = rendered(mesh)
    text = dump(objects)
    if mesh == "istio":
        assert only(objects, "PeerAuthentication")["spec"]["mtls"] == {"mode": "STRICT"}
        assert only(objects, "Namespace")["metadata"]["labels"]["istio-injection"] == "enabled"
        assert "cluster.local/ns/beachhead/sa/gateway" in text
    else:
        assert all(one["metadata"]["annotations"]["linkerd.io/inject"] == "enabled" for one in pods(objects))
        assert only(objects, "Server")["spec"]["accessPolicy"] == "deny"
        assert "gateway.beachhead.serviceaccount.identity.linkerd.cluster.local" in text
    assert "istio" not in dump(rendered("one-node")) and "linkerd" not in dump(rendered("one-node"))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (inventory(container={"ipc": "host"}), "ipc: host"),
        (inventory(container={"mounts": [{"path": "/data"}]}), "hostPath"),
        (inventory(hosts=2), "a local volume is one node's disk"),
        (inventory(hosts=3, kubernetes=GROUP | {"mesh": "istio"}), "mesh's proxies"),
        (VARIANTS["one-node"].model_copy(update={"serving": inventory().serving.model_copy(
            update={"gateway": inventory().serving.gateway.model_copy(update={"image": None})})}), "gateway is a pod"),
        (VARIANTS["one-node"].model_copy(update={"engine": inventory().engine.model_copy(
            update={"kind": "llamacpp"})}), "needs its python3"),
        (inventory(container={"image": f"vllm@sha256:{'0' * 64}"}), "stand-in"),
    ],
)  # fmt: skip
def test_what_can_t_be_served_so_is_refused(declared: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        everything(declared, release(), slot())
    assert refused.value.fix and "inventory k8s-h200x8" in refused.value.where


def test_an_engine_on_the_pod_s_loopback_is_refused() -> None:
    inside = tuple("127.0.0.1" if word == "0.0.0.0" else word for word in ARGUMENTS)
    with pytest.raises(BadInput, match="loopback"):
        everything(VARIANTS["one-node"], release(arguments=inside), slot())


def test_hostile_values_stay_one_word_each() -> None:
    nasty = ("--x", 'a"b\n- c: {d}', "$(touch /tmp/x)", "*anchor", "yes", "0x1f", "~", "null")
    objects = everything(VARIANTS["one-node"], release(arguments=(*ARGUMENTS, *nasty)), slot())
    read = list(yaml.safe_load_all(dump(objects)))
    # A doubled $ is how the kubelet is told to leave $(NAME) alone.
    assert engine_pod(read)["containers"][0]["args"][-len(nasty) :] == [one.replace("$(", "$$(") for one in nasty]
    assert faults(only(read, "Deployment", "engine-8001"), VERSIONS[-1]) == []


def test_the_probe_is_in_the_config_map_and_imports_the_standard_library_alone() -> None:
    shown = only(rendered("one-node"), "ConfigMap", "completion-probe")["data"]["completion_probe.py"]
    assert shown == Path(completion_probe.__file__).read_text()
    assert {line for line in shown.splitlines() if line.startswith(("import", "from"))} == {
        "import json", "import os", "import sys", "import urllib.request"
    }  # fmt: skip
    assert IMAGE in dump(rendered("one-node"))
