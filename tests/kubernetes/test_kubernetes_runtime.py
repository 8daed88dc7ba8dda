"""The Kubernetes runtime, from start to stop, by real kubectl on a stand-in API whose pods a test writes."""

import json
from pathlib import Path
from typing import Any

import pytest

from inventories.errors import BadInput
from rehearsal.processes import start_time
from tasks.hosts import CommandFailed
from tasks.operations.base import converge
from tasks.releases import Release, Slot, wanted
from tasks.runtimes.base import EngineState, runtime
from tasks.site import Site
from tests.kubernetes import api

KEY = "engine-key-that-nobody-may-see"


@pytest.fixture
def staged(site: Site) -> tuple[Release, Slot]:
    """The inventory's release is applied in the first slot."""
    found = runtime(site.inventory)
    found.check(site.inventory)
    host = site.host(site.head.name)
    for operation in found.install(site.inventory, site.head):
        converge(host, operation)
        assert converge(host, operation).steps == (), operation.name
    release = wanted(site.inventory, site.head)
    return release, Slot(release.id, site.inventory.serving.slots[0])


@pytest.fixture
def running(site: Site, staged: tuple[Release, Slot]) -> Any:
    release, slot = staged
    operation = runtime(site.inventory).running(site, release, slot)
    host = site.host(site.head.name)
    first, second = converge(host, operation), converge(host, operation)
    assert len(first.steps) == 5 and second.steps == (), second
    yield release, slot
    converge(host, runtime(site.inventory).stopped(site, slot))


@pytest.fixture
def applied(site: Site, stand_in: api.Cluster) -> Slot:
    """A workload is in the first slot, as a test put it there: quicker than by kubectl."""
    slot = Slot("a4c2be2949e8", site.inventory.serving.slots[0])
    meta = {"name": f"engine-{slot.port}", "namespace": "beachhead"}
    stand_in.put("apps/v1", "deployments", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta})
    return slot


def put_pod(stand_in: api.Cluster, slot: Slot, *, name: str = "engine-8001-a", phase: str = "Running",
            container: dict[str, Any] | None = None, conditions: tuple[Any, ...] = ()) -> None:  # fmt: skip
    labels = {
        "app.kubernetes.io/name": "engine", "app.kubernetes.io/part-of": "beachhead", "beachhead/role": "head",
        "app.kubernetes.io/instance": f"engine-{slot.port}", "beachhead/slot": str(slot.port),
        "beachhead/release": slot.release,
    }  # fmt: skip
    status: dict[str, Any] = {"phase": phase, "conditions": list(conditions)}
    if container is not None:
        status["containerStatuses"] = [{"name": "engine", "ready": False, "restartCount": 0, **container}]
    meta = {"name": name, "namespace": "beachhead", "labels": labels}
    stand_in.put("v1", "pods", {
        "apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [{"name": "engine"}]},
        "status": status,
    })  # fmt: skip


RUNS = {"state": {"running": {"startedAt": "2026-11-22T00:00:00Z"}}}
KILLED = {"restartCount": 1, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
CRASHED = {
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}},
    "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}, "restartCount": 2,
}  # fmt: skip
NO_IMAGE = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x"'}}}
NO_NODE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
           "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."}  # fmt: skip


@pytest.mark.parametrize(
    ("pod", "state", "words"),
    [
        ({"phase": "Pending", "conditions": (NO_NODE,)}, EngineState(True), "3 Insufficient nvidia.com/gpu"),
        ({"phase": "Pending", "container": {"state": {"waiting": {"reason": "ContainerCreating"}}}},
         EngineState(True), "ContainerCreating"),
        ({"phase": "Pending", "container": NO_IMAGE}, EngineState(False), "ImagePullBackOff: Back-off pulling"),
        ({"container": RUNS}, EngineState(True), "loading weights"),
        ({"container": RUNS | KILLED}, EngineState(True, 137, 1), "loading weights"),
        ({"container": CRASHED}, EngineState(False, 1, 2), "exit status 1, Error"),
        ({"phase": "Failed", "container": {"state": {"terminated": {"exitCode": 3, "reason": "Error"}}}},
         EngineState(False, 3), "loading weights"),
    ],
)  # fmt: skip
def test_what_a_pod_s_state_means(
    site: Site, applied: Slot, stand_in: api.Cluster, pod: dict[str, Any], state: EngineState, words: str
) -> None:
    slot = applied
    put_pod(stand_in, slot, **pod)
    stand_in.logs["engine-8001-a"] = "starting\nloading weights\n"
    found = runtime(site.inventory)
    assert found.state(site, slot) == state
    assert words in found.last_line(site, slot)


def test_before_its_pod_is_made_it_counts_as_starting_and_after_the_delete_as_gone(
    site: Site, applied: Slot, stand_in: api.Cluster
) -> None:
    slot = applied
    found = runtime(site.inventory)
    assert found.state(site, slot) == EngineState(True) and found.log(site, slot) == ""
    stand_in.drop("deployments", "engine-8001")
    assert found.state(site, slot) == EngineState(False)


def test_the_log_holds_the_start_that_failed(site: Site, applied: Slot, stand_in: api.Cluster) -> None:
    slot = applied
    put_pod(stand_in, slot, container=RUNS | {"restartCount": 1, "lastState": {"terminated": {"exitCode": 1}}})
    stand_in.logs |= {"engine-8001-a": "second start\n", "engine-8001-a:previous": "ValueError: no such flag\n"}
    said = runtime(site.inventory).log(site, slot)
    assert said.index("ValueError: no such flag") < said.index("second start")


def test_a_pod_of_another_release_in_the_slot_is_not_ours(site: Site, applied: Slot, stand_in: api.Cluster) -> None:
    slot = applied
    put_pod(stand_in, Slot("0" * 12, slot.port), container=CRASHED)
    assert runtime(site.inventory).state(site, slot) == EngineState(True)


def test_a_server_that_does_not_answer_is_no_state(site: Site, applied: Slot, stand_in: api.Cluster) -> None:
    slot = applied
    kinds, stand_in.kinds = stand_in.kinds, {}
    with pytest.raises(CommandFailed):
        runtime(site.inventory).state(site, slot)
    stand_in.kinds = kinds


def test_the_key_is_in_the_cluster_and_nowhere_else(site: Site, running: Any, stand_in: api.Cluster) -> None:
    secret = stand_in.get("secrets", "engine-key")
    assert secret and secret["data"]["api-key"]
    written = [path for folder in (site.folder, Path(site.head.root)) for path in folder.rglob("*") if path.is_file()]
    assert written and not [path for path in written if KEY in path.read_text(errors="replace")]
    assert not [path for _, path in stand_in.asked if KEY in path]
    deployment = json.dumps(stand_in.get("deployments", "engine-8001"))
    assert KEY not in deployment and "engine-key" in deployment


def test_a_release_of_before_comes_back_with_its_own_image(site: Site, running: Any, stand_in: api.Cluster) -> None:
    """The inventory moved on; what is applied again is the kept manifest, not the new image with the old flags."""
    release, slot = running
    host, found = site.host(site.head.name), runtime(site.inventory)
    before = stand_in.get("deployments", "engine-8001")["spec"]["template"]  # type: ignore[index]
    converge(host, found.stopped(site, slot))
    assert stand_in.get("deployments", "engine-8001") is None
    other = site.inventory.model_copy(
        update={"serving": site.inventory.serving.model_copy(update={
            "context_tokens": 4096, "container": site.inventory.serving.container.model_copy(  # type: ignore[union-attr]
                update={"image": f"other@sha256:{'d' * 64}"})})}
    )  # fmt: skip
    site.inventory = other
    assert wanted(other, site.head).id != release.id
    converge(host, found.running(site, release, slot))
    assert stand_in.get("deployments", "engine-8001")["spec"]["template"] == before  # type: ignore[index]
    unknown = Release(**{**{f: getattr(release, f) for f in release.__slots__}, "id": "e" * 12})
    with pytest.raises(BadInput, match="was not kept"):
        converge(host, found.running(site, unknown, Slot("e" * 12, slot.port)))


def test_stopping_ends_workload_and_forward_and_a_second_time_does_nothing(
    site: Site, staged: tuple[Release, Slot], stand_in: api.Cluster
) -> None:
    release, slot = staged
    host, found = site.host(site.head.name), runtime(site.inventory)
    converge(host, found.running(site, release, slot))
    (pid,) = [path.read_text().split()[0] for path in Path(site.head.root).glob("run/forward-*.pid")]
    assert start_time(int(pid))
    assert len(converge(host, found.stopped(site, slot)).steps) == 2
    assert start_time(int(pid)) is None
    assert converge(host, found.stopped(site, slot)).steps == ()
    assert found.words(site, release, slot) is None
