"""What is read from a cluster, without one: kubectl's output as recorded, and pods as the API's documentation has them.

DIFF, VERSION and EMPTY are kubectl 1.36.4's own output against the tests' stand-in API; the pods' JSON is written after
the API's documentation, since no kubelet was there to record.
"""

import copy
import json
from typing import Any

import pytest

from tasks.facts.base import NotUnderstood, look
from tasks.facts.kubernetes_difference import Difference, differences, parse
from tasks.facts.kubernetes_objects import ObjectThere, RolloutFact, SecretDigest
from tasks.facts.kubernetes_pods import GIVEN_UP, PodsFact
from tasks.fake import FakeHost
from tasks.hosts import CommandFailed, Ran, now
from tasks.kubernetes.kubectl import Kubectl
from tasks.kubernetes.secrets import digest
from tasks.operations.kubernetes import Applied, SecretThere, apply
from tasks.operations.kubernetes_access import Versions, VersionsFact

KUBECTL = Kubectl("beachhead")
PODS = PodsFact(KUBECTL, (("a", "b"),))
VERSION = """{
  "clientVersion": {"major": "1", "minor": "36", "gitVersion": "v1.36.4", "gitTreeState": "clean"},
  "kustomizeVersion": "v5.8.1",
  "serverVersion": {"major": "1", "minor": "36", "gitVersion": "v1.36.0", "gitCommit": ""}
}"""
EMPTY = (
    '{\n    "apiVersion": "v1",\n    "items": [],\n    "kind": "List",\n'
    '    "metadata": {\n        "resourceVersion": ""\n    }\n}\n'
)
DIFF = """\
diff -u -N /tmp/LIVE-3240437584/apps.v1.Deployment.beachhead.engine-8001 /tmp/MERGED-2148688504/apps.v1.Deployment.beachhead.engine-8001
--- /tmp/LIVE-3240437584/apps.v1.Deployment.beachhead.engine-8001\t2026-11-22 21:57:12.326896025 +0000
+++ /tmp/MERGED-2148688504/apps.v1.Deployment.beachhead.engine-8001\t2026-11-22 21:57:12.331210052 +0000
@@ -4,7 +4,7 @@
   annotations:
     beachhead/release: a4c2be2949e8
   creationTimestamp: "2026-11-22T00:00:00Z"
-  generation: 1
+  generation: 2
   labels:
     app.kubernetes.io/managed-by: beachhead
"""  # noqa: E501
POD: dict[str, Any] = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "engine-8001-7d4b9", "namespace": "beachhead", "labels": {"beachhead/role": "head"}},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {"name": "istio-proxy", "state": {"running": {}}, "ready": True, "restartCount": 9},
            {"name": "engine", "state": {"running": {"startedAt": "2026-11-22T20:00:00Z"}}, "lastState": {},
             "ready": True, "restartCount": 0, "image": "x", "imageID": "y"},
        ],
    },
}  # fmt: skip


def listed(*pods: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(pods)})


def with_container(**changes: Any) -> dict[str, Any]:
    one = copy.deepcopy(POD)
    one["status"]["containerStatuses"][1] |= changes
    return one


def test_a_running_pod_is_the_engine_s_container_and_not_a_sidecar() -> None:
    (pod,) = PODS.parse(listed(POD))
    assert (pod.name, pod.role, pod.phase, pod.ready, pod.deleting) == (
        "engine-8001-7d4b9",
        "head",
        "Running",
        True,
        False,
    )
    assert pod.container and pod.container.restarts == 0 and pod.container.exit is None
    assert not pod.has_failed and pod.words == ""
    assert PODS.parse(EMPTY) == ()


@pytest.mark.parametrize("reason", GIVEN_UP)
def test_what_time_does_not_mend_has_failed(reason: str) -> None:
    (pod,) = PODS.parse(listed(with_container(state={"waiting": {"reason": reason, "message": "why"}})))
    assert pod.has_failed and f"{reason}: why" in pod.words


@pytest.mark.parametrize(
    "state", [{"waiting": {"reason": "ContainerCreating"}}, {"waiting": {"reason": "ErrImagePull"}}, {}]
)
def test_what_may_still_come_has_not(state: dict[str, Any]) -> None:
    (pod,) = PODS.parse(listed(with_container(state=state, ready=False)))
    assert not pod.has_failed and pod.words


def test_an_end_is_this_start_s_or_the_one_s_before() -> None:
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    (pod,) = PODS.parse(listed(with_container(lastState=killed, restartCount=1)))
    assert (
        pod.container and (pod.container.exit, pod.container.last_reason) == (137, "OOMKilled") and not pod.has_failed
    )
    (pod,) = PODS.parse(listed(with_container(state={"terminated": {"exitCode": 0}}, lastState=killed)))
    assert pod.container and pod.container.exit == 0 and pod.has_failed  # an engine that ends with 0 has ended too


def test_a_pod_without_a_node_says_why() -> None:
    one = copy.deepcopy(POD)
    one["status"] = {"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
         "message": "0/3 nodes are available"}]}  # fmt: skip
    (pod,) = PODS.parse(listed(one))
    assert pod.container is None and not pod.has_failed
    assert pod.words == "engine-8001-7d4b9: Unschedulable: 0/3 nodes are available"


@pytest.mark.parametrize(
    "said",
    [
        "", "null", "[]", "{}", '{"kind": "List"}', '{"kind": "Pod", "metadata": {}}',
        '{"kind": "List", "items": [{}]}',
        listed({**POD, "kind": "Deployment"}), listed({**POD, "metadata": {}}), listed({**POD, "status": {}}),
        listed(with_container(state={"running": {}, "waiting": {}})), listed(with_container(state={"dreaming": {}})),
        listed(with_container(state={"terminated": {}})), listed(with_container(restartCount="0")),
        listed(with_container(ready=None)),
    ],
)  # fmt: skip
def test_what_is_no_list_of_pods_is_not_understood(said: str) -> None:
    with pytest.raises(NotUnderstood):
        PODS.parse(said)


@pytest.mark.parametrize(
    ("status", "complete", "stuck"),
    [
        ({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}, True, False),
        ({"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}, False, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 1}, False, False),
        ({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1}, False, False),
        ({"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1,
          "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]},
         False, True),
        ({}, False, False),
    ],
)  # fmt: skip
def test_a_rollout_is_over_when_all_pods_are_new_and_available(status: Any, complete: bool, stuck: bool) -> None:
    seen = {"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status}
    found = RolloutFact(KUBECTL, "gateway").parse(json.dumps(seen))
    assert (found.complete, found.stuck) == (complete, stuck)
    with pytest.raises(NotUnderstood):
        RolloutFact(KUBECTL, "gateway").parse("{}")


def test_small_answers() -> None:
    there = ObjectThere(KUBECTL, "deployment/engine-8001")
    assert there.parse("deployment.apps/engine-8001\n") is True and there.parse("") is False
    with pytest.raises(NotUnderstood):
        there.parse("deployment.apps/engine-8002\n")
    noted = SecretDigest(KUBECTL, "engine-key")
    assert (
        noted.parse("") is None
        and noted.parse("noted abc") == "abc"
        and noted.parse("noted <no value>") == "<no value>"
    )
    with pytest.raises(NotUnderstood):
        noted.parse("api-key: x")
    versions = VersionsFact(KUBECTL)
    assert versions.parse(VERSION) == Versions(36, 36)
    assert versions.parse(VERSION.replace('"minor": "36", "gitVersion": "v1.36.0"', '"minor": "35+"')).server == 35
    for wrong in ('{"clientVersion": {"major": "1", "minor": "36"}}', "{}", "", VERSION.replace('"36"', '"x"')):
        with pytest.raises(NotUnderstood):
            versions.parse(wrong)


def test_a_difference_names_the_object_and_its_lines() -> None:
    assert parse(DIFF) == (
        Difference("apps.v1.Deployment.beachhead.engine-8001", ("-  generation: 1", "+  generation: 2")),
    )
    with pytest.raises(NotUnderstood):
        parse("no diff at all\n")


def command(*words: str) -> str:
    return f"LC_ALL=C {KUBECTL.line(*words)}"


DIFFER = command("diff", "--server-side", "--force-conflicts", "--field-manager=beachhead", "--filename=-")


def ran(exit: int, stdout: str = "", stderr: str = "") -> Ran:
    return Ran("box", DIFFER, exit, stdout, stderr, now())


@pytest.mark.parametrize(
    "answer",
    [
        ran(1, "", "Error from server (Forbidden): deployments.apps is forbidden"),  # 1 without a difference: an error
        ran(2, "", "error: no such tool: diff"),
        ran(127, "", "kubectl: not found"),
    ],
)
def test_an_error_is_never_no_difference(answer: Ran) -> None:
    host = FakeHost("box", {DIFFER: answer})
    with pytest.raises(CommandFailed):
        differences(host, KUBECTL, "---\n")


def test_nothing_is_applied_where_nothing_differs_and_the_manifest_goes_by_stdin() -> None:
    operation = Applied("it", KUBECTL, ({"kind": "X"},))
    assert list(operation.plan(FakeHost("box", {DIFFER: ""}))) == []
    host = FakeHost("box", {DIFFER: ran(1, DIFF)})
    (step,) = operation.plan(host)
    assert step.command == apply(KUBECTL) and step.stdin == host.stdin_of(DIFFER) == "---\nkind: X\n"
    assert "--server-side" in step.command and "--validate=strict" in step.command


def test_a_secret_of_the_same_digest_is_left_alone() -> None:
    values = {"api-key": "s3cret"}
    asked = SecretDigest(KUBECTL, "engine-key").command
    operation = SecretThere("engine-key", KUBECTL, values)
    assert list(operation.plan(FakeHost("box", {asked: f"noted {digest(values)}"}))) == []
    for other in ("", "noted <no value>", "noted " + "0" * 64):
        (step,) = operation.plan(FakeHost("box", {asked: other}))
        assert step.stdin and "s3cret" not in step.stdin + step.command
    assert look(FakeHost("box", {asked: ""}), SecretDigest(KUBECTL, "engine-key")) is None


def test_words_of_the_inventory_are_quoted() -> None:
    hostile = Kubectl("beachhead", context="a b;$(x)", kubeconfig="/k c")
    assert hostile.line("get", "x'y") == (
        "kubectl '--kubeconfig=/k c' '--context=a b;$(x)' --namespace=beachhead --request-timeout=30s get 'x'\"'\"'y'"
    )
