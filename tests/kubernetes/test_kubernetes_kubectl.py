"""Real kubectl against the stand-in API: every manifest is taken, faults are refused, and the verbs converge.

The server is a fake (api.py says what it lacks); kubectl, its discovery, its diff and its exit statuses are real.
"""

import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inventories.schema import Inventory
from tasks.facts.kubernetes_difference import ClusterRefused, differences
from tasks.hosts import CommandFailed
from tasks.kubernetes.cluster import cluster
from tasks.kubernetes.face import ClusterFace
from tasks.kubernetes.kubectl import APPLY, kubectl
from tasks.kubernetes.objects import dump
from tasks.kubernetes.render import everything
from tasks.kubernetes.services import live_service
from tasks.kubernetes.workload import workload
from tasks.local import LocalHost
from tasks.operations.base import converge
from tasks.operations.kubernetes import Applied, SecretThere, WorkloadGone
from tasks.operations.kubernetes_access import ClusterReached, NoCluster
from tasks.operations.kubernetes_rollout import RolledOut
from tests.kubernetes import api
from tests.kubernetes.ground import GROUP, VARIANTS, release, slot

pytestmark = pytest.mark.usefixtures("on_path")
HOST = LocalHost("here")
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "beachhead", "labels": {"a": "b"}}}
MESHED = ("istio", "linkerd")  # the stand-in has no custom resources of theirs


def ask(stand_in: api.Cluster, folder: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    config = api.kubeconfig(stand_in.server, folder / "config")  # type: ignore[attr-defined]
    return subprocess.run(
        ["kubectl", f"--kubeconfig={config}", *words], input=stdin, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name not in MESHED])
def test_the_client_s_dry_run_takes_it(variant: str, stand_in: api.Cluster, tmp_path: Path) -> None:
    objects = everything(VARIANTS[variant], release(), slot())
    ran = ask(stand_in, tmp_path, "apply", "--dry-run=client", "--filename=-", stdin=dump(objects))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("created (dry run)") == len(objects)
    assert not [one for one in stand_in.asked if one[0] != "GET"]


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name not in MESHED])
def test_the_server_s_dry_run_takes_it_strictly(variant: str, stand_in: api.Cluster, tmp_path: Path) -> None:
    stand_in.put("v1", "namespaces", NAMESPACE)
    objects = everything(VARIANTS[variant], release(), slot())
    words = (*APPLY, "--dry-run=server", "--validate=strict", "--filename=-")
    ran = ask(stand_in, tmp_path, *words, stdin=dump(objects))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("serverside-applied (server dry run)") == len(objects)
    assert all("fieldValidation=Strict" in path for verb, path in stand_in.asked if verb == "PATCH")
    typo = dump(objects).replace("readOnlyRootFilesystem", "readOnlyRootFileSystem", 1)
    ran = ask(stand_in, tmp_path, *words, stdin=typo)
    assert ran.returncode == 1 and "readOnlyRootFileSystem" in ran.stderr
    assert list(stand_in.objects) == [("v1", "namespaces", "", "beachhead")]


def test_applying_converges_and_drift_is_named_and_set_back(
    declared: Callable[..., Inventory], stand_in: api.Cluster
) -> None:
    asked = declared()
    objects = tuple(everything(asked, release(), slot()))
    operation = Applied("everything", kubectl(asked), objects)
    (step,) = converge(HOST, operation).steps  # converge asks again, and finds nothing left
    assert "namespace is not there yet" in step
    assert converge(HOST, operation).steps == ()
    assert stand_in.get("deployments", "engine-8001")["spec"]["replicas"] == 1  # type: ignore[index]
    key = ("apps/v1", "deployments", "beachhead", "engine-8001")
    stand_in.objects[key]["spec"]["strategy"] = {"type": "RollingUpdate"}
    (found,) = differences(HOST, kubectl(asked), dump(objects))
    assert found.object == "apps.v1.Deployment.beachhead.engine-8001"
    assert "-    type: RollingUpdate" in found.lines and "+    type: Recreate" in found.lines
    (step,) = converge(HOST, operation).steps
    assert "engine-8001" in step and "gateway" not in step
    assert stand_in.objects[key]["spec"]["strategy"] == {"type": "Recreate"}


def test_promotion_changes_the_selector_and_nothing_else(
    declared: Callable[..., Inventory], stand_in: api.Cluster
) -> None:
    asked = declared()
    stand_in.put("v1", "namespaces", NAMESPACE)
    shape = cluster(asked)
    for n in (1, 2):
        converge(HOST, Applied("e", kubectl(asked), (workload(shape, release(f"{n}" * 12), slot(8000 + n)),)))
    for n in (1, 2, 1):
        chosen = slot(8000 + n, f"{n}" * 12)
        before = {k: o["metadata"]["generation"] for k, o in stand_in.objects.items() if k[1] == "deployments"}
        converge(HOST, Applied("the live Service", kubectl(asked), (live_service(shape, chosen),)))
        selector = stand_in.get("services", "engine")["spec"]["selector"]  # type: ignore[index]
        assert (selector["beachhead/release"], selector["beachhead/slot"]) == (f"{n}" * 12, str(8000 + n))
        assert before == {k: o["metadata"]["generation"] for k, o in stand_in.objects.items() if k[1] == "deployments"}


def test_a_cluster_without_the_custom_resource_says_what_to_install(
    declared: Callable[..., Inventory], stand_in: api.Cluster
) -> None:
    del stand_in.kinds["leaderworkerset.x-k8s.io/v1"]
    stand_in.put("v1", "namespaces", NAMESPACE)
    asked = declared(hosts=2, kubernetes=GROUP)
    with pytest.raises(ClusterRefused, match=r"no LeaderWorkerSet of leaderworkerset.x-k8s.io/v1") as refused:
        converge(HOST, Applied("e", kubectl(asked), (workload(cluster(asked), release(), slot()),)))
    assert "kubernetes-sigs/lws" in refused.value.fix


def test_a_refusal_is_the_server_s_own_words(declared: Callable[..., Inventory], stand_in: api.Cluster) -> None:
    asked = declared()
    stand_in.put("v1", "namespaces", NAMESPACE)
    wrong = workload(cluster(asked), release(), slot())
    wrong["spec"]["replicas"] = "one"
    with pytest.raises(CommandFailed, match="'one' is not of type"):
        converge(HOST, Applied("e", kubectl(asked), (wrong,)))


def test_a_secret_travels_on_stdin_and_only_its_digest_is_read(
    declared: Callable[..., Inventory], stand_in: api.Cluster
) -> None:
    asked = declared()
    stand_in.put("v1", "namespaces", NAMESPACE)
    operation = SecretThere("engine-key", kubectl(asked), {"api-key": "s3cret-value"})
    assert "s3cret" not in repr(operation)
    (step,) = list(operation.plan(HOST))
    assert "s3cret" not in step.command + step.why
    assert converge(HOST, operation).steps and converge(HOST, operation).steps == ()
    assert stand_in.get("secrets", "engine-key")["data"] == {"api-key": "czNjcmV0LXZhbHVl"}  # type: ignore[index]
    changed = SecretThere("engine-key", kubectl(asked), {"api-key": "another"})
    assert converge(HOST, changed).steps


def test_a_workload_goes_and_its_pods_are_waited_for(declared: Callable[..., Inventory], stand_in: api.Cluster) -> None:
    asked = declared()
    stand_in.put("v1", "namespaces", NAMESPACE)
    chosen = kubectl(asked)
    converge(HOST, Applied("e", chosen, (workload(cluster(asked), release(), slot()),)))
    labels = (("app.kubernetes.io/instance", "engine-8001"),)
    stand_in.put("v1", "pods", pod())
    gone = WorkloadGone("deployment/engine-8001", chosen, labels, 5)
    assert converge(HOST, gone).steps == ("delete deployment/engine-8001",)
    assert stand_in.get("deployments", "engine-8001") is None and stand_in.get("pods", "engine-8001-x") is None
    assert converge(HOST, gone).steps == ()


def pod(**status: Any) -> dict[str, Any]:
    labels = {"app.kubernetes.io/instance": "engine-8001"}
    return {
        "apiVersion": "v1", "kind": "Pod", "status": {"phase": "Running", **status},
        "metadata": {"name": "engine-8001-x", "namespace": "beachhead", "labels": labels},
    }  # fmt: skip


def test_a_rollout_is_waited_for_and_one_that_does_not_come_up_fails(
    declared: Callable[..., Inventory], stand_in: api.Cluster
) -> None:
    asked = declared()
    stand_in.put("v1", "namespaces", NAMESPACE)
    objects = [one for one in everything(asked, release(), slot()) if one["metadata"]["name"] == "gateway"]
    converge(HOST, Applied("gateway", kubectl(asked), tuple(objects)))
    operation = RolledOut("gateway", kubectl(asked), within_s=2)
    with pytest.raises(CommandFailed, match="was not ready within 2 s; undone") as failed:
        converge(HOST, operation)
    assert "no rollout history found" in failed.value.what  # a first revision has nothing to go back to
    key = ("apps/v1", "deployments", "beachhead", "gateway")
    counts = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "observedGeneration": 1}
    stand_in.objects[key]["status"] = counts
    assert converge(HOST, operation).steps == ()


def test_a_gateway_that_does_not_come_up_is_undone(declared: Callable[..., Inventory], stand_in: api.Cluster) -> None:
    """The ReplicaSets that a controller would have kept are written here; the undo is kubectl's own."""
    asked = declared()
    stand_in.put("v1", "namespaces", NAMESPACE)
    objects = [one for one in everything(asked, release(), slot()) if one["metadata"]["name"] == "gateway"]
    converge(HOST, Applied("gateway", kubectl(asked), tuple(objects)))
    key = ("apps/v1", "deployments", "beachhead", "gateway")
    live = stand_in.objects[key]
    live["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "2"}
    live["status"] = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 1}
    good, bad = copy.deepcopy(live["spec"]["template"]), copy.deepcopy(live["spec"]["template"])
    good["spec"]["containers"][0]["image"] = "good"
    for revision, template in (("1", good), ("2", bad)):
        owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway", "uid": live["metadata"]["uid"],
                 "controller": True}  # fmt: skip
        marked = {"metadata": {**template["metadata"], "labels": {
            **template["metadata"]["labels"], "pod-template-hash": revision}}}  # fmt: skip
        stand_in.put("apps/v1", "replicasets", {
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "spec": {"replicas": 1, "template": {**template, **marked}},
            "metadata": {"name": f"gateway-{revision}", "uid": revision, "namespace": "beachhead",
                         "ownerReferences": [owner],
                         "labels": marked["metadata"]["labels"],
                         "annotations": {"deployment.kubernetes.io/revision": revision}},
        })  # fmt: skip
    with pytest.raises(CommandFailed, match="was not ready within 2 s; undone") as failed:
        converge(HOST, RolledOut("gateway", kubectl(asked), within_s=2))
    assert "deployment.apps/gateway rolled back" in failed.value.what
    assert stand_in.objects[key]["spec"]["template"]["spec"]["containers"][0]["image"] == "good"


def test_no_cluster_and_a_wrong_version_are_problems(
    declared: Callable[..., Inventory], stand_in: api.Cluster, minor: str
) -> None:
    asked = declared()
    assert converge(HOST, ClusterReached(kubectl(asked))).steps == ()
    stand_in.minor = str(int(minor) + 2)
    with pytest.raises(NoCluster, match=f"kubectl is 1.{minor}, the cluster is 1.{int(minor) + 2}"):
        converge(HOST, ClusterReached(kubectl(asked)))
    stand_in.server.shutdown()  # type: ignore[attr-defined]
    stand_in.server.server_close()  # type: ignore[attr-defined]
    with pytest.raises(NoCluster, match="no cluster answers kubectl"):
        converge(HOST, ClusterReached(kubectl(asked)))


def test_the_face_promotes_by_the_selector_and_leaves_the_gateway_s_pod_alone(
    declared: Callable[..., Inventory], stand_in: api.Cluster
) -> None:
    asked = declared()
    stand_in.put("v1", "namespaces", NAMESPACE)
    face = ClusterFace(asked, {"keys": "", "upstream_key.conf": "x"}, {"server.pem": "p", "server.key": "k"})
    *in_cluster, rollout, forwarded = face.operations(slot(8001, "1" * 12))
    for operation in in_cluster:
        assert converge(HOST, operation).steps and converge(HOST, operation).steps == ()
    assert isinstance(rollout, RolledOut) and "service/gateway" in forwarded.name
    before = stand_in.get("deployments", "gateway")
    changed = [op.name for op in list(face.operations(slot(8002, "2" * 12)))[:4] if converge(HOST, op).steps]
    assert changed == ["the live Service in namespace beachhead"] and stand_in.get("deployments", "gateway") == before
    rotated = ClusterFace(asked, {"keys": "new", "upstream_key.conf": "x"}, {"server.pem": "p", "server.key": "k"})
    changed = [op.name for op in list(rotated.operations(slot(8002, "2" * 12)))[:4] if converge(HOST, op).steps]
    assert changed == ["secret gateway-keys in namespace beachhead", "the gateway in namespace beachhead"]
