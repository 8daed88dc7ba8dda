"""compose-kubernetes-same: both real renderings of one inventory, field by field, and the verdicts of two runs."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assumptions._core import Evidence, Finding, Outcome, Provenance, Severity, Stage
from assumptions._ledger import Ledger
from assumptions._serving_pairs import Run, run_of
from assumptions._serving_renders import SECRET, Rendered, for_compose, for_kubernetes, sibling
from assumptions.compose_kubernetes_same import Both, judge, observe
from inventories.schema import Inventory
from inventories.serving import Serving
from tasks.site import Site
from tests.recorded import recordings

PROCESS = recordings.rehearsal()
IMAGE = f"registry.example/engine@sha256:{'a' * 64}"
GATEWAY = f"registry.example/nginx@sha256:{'b' * 64}"


def contained(**container: object) -> Inventory:
    told = PROCESS.serving.model_dump(mode="json")
    told |= {"runtime": "compose", "container": {"image": IMAGE, "program": "/opt/v/bin/python", **container}}
    told["gateway"] |= {"image": GATEWAY}
    return PROCESS.model_copy(update={"serving": Serving.model_validate(told)})


INVENTORY = contained()
VERDICTS = {("openai-api", Stage.STAGING): Outcome.PASS, ("openai-api", Stage.LIVE): Outcome.PASS}
RUNS = (Run("a/1", VERDICTS), Run("b/2", VERDICTS))


@pytest.fixture(scope="module")
def both() -> Both:
    return Both(for_compose(INVENTORY), for_kubernetes(INVENTORY), runs=RUNS)


def test_both_real_renderings_say_the_same(both: Both) -> None:
    finding = judge(both, INVENTORY)
    assert finding.outcome is Outcome.PASS, [p for p in finding.parts if p.outcome is not Outcome.PASS]
    assert both.compose is not None
    assert {"image", "program", "flag --model", "flag --port", "shm_mib", "env HF_HUB_OFFLINE"} <= {
        part.name for part in finding.parts
    }
    assert both.compose.env["VLLM_API_KEY"] == SECRET
    assert both.compose.image == IMAGE and both.compose.flags["--max-model-len"] == ("32768",)


def test_a_user_is_the_same_under_both() -> None:
    for user in ("1000:1000", "1000:2000"):
        chosen = contained(user=user)
        seen = Both(for_compose(chosen), for_kubernetes(chosen), runs=RUNS)
        assert judge(seen, chosen).outcome is Outcome.PASS


def test_the_sibling_is_the_same_inventory_otherwise() -> None:
    other = sibling(INVENTORY, "kubernetes")
    assert other.serving.runtime == "kubernetes" and other.serving.kubernetes is not None
    assert other.serving.container == INVENTORY.serving.container
    assert sibling(other, "compose").model_dump() == INVENTORY.model_dump()


def one_changed(rendered: Rendered | None, field: str) -> Rendered:
    assert rendered is not None
    kind, _, name = field.partition(" ")
    if kind == "flag":
        return replace(rendered, flags={**rendered.flags, name: ("other",)})
    if kind == "env":
        return replace(rendered, env={**rendered.env, name: "other"})
    return replace(rendered, **{field: "other"})  # type: ignore[arg-type]


FIELDS = ("flag --max-model-len", "flag --new", "env HF_HUB_OFFLINE", "env NEW", "image", "program", "gpus", "shm_mib")


@pytest.mark.parametrize("field", FIELDS)
def test_one_other_field_fails_and_is_named(both: Both, field: str) -> None:
    for seen in (
        replace(both, compose=one_changed(both.compose, field)),
        replace(both, kubernetes=one_changed(both.kubernetes, field)),
    ):
        finding = judge(seen, INVENTORY)
        assert finding.outcome is Outcome.FAIL
        assert [part.name for part in finding.parts if part.outcome is Outcome.FAIL] == [field]


def test_a_flag_that_one_of_them_lacks_fails(both: Both) -> None:
    assert both.compose is not None
    less = {name: words for name, words in both.compose.flags.items() if name != "--enforce-eager"}
    finding = judge(replace(both, compose=replace(both.compose, flags=less)), INVENTORY)
    assert (finding.outcome, finding.value) == (Outcome.FAIL, 1.0)


@pytest.mark.parametrize("field", ["env HOME", "flag --host"])
def test_what_has_to_differ_may(both: Both, field: str) -> None:
    assert judge(replace(both, compose=one_changed(both.compose, field)), INVENTORY).outcome is Outcome.PASS


def test_verdicts_decide_once_both_were_run(both: Both) -> None:
    first, second = RUNS
    assert judge(replace(both, runs=(first, None)), INVENTORY).outcome is Outcome.UNKNOWN
    assert judge(replace(both, runs=(None, None)), INVENTORY).outcome is Outcome.UNKNOWN
    other = replace(second, verdicts={**VERDICTS, ("openai-api", Stage.LIVE): Outcome.FAIL})
    finding = judge(replace(both, runs=(first, other)), INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert "openai-api (live): PASS and FAIL" in finding.because
    nothing_shared = replace(second, verdicts={("x", Stage.LIVE): Outcome.PASS})
    assert judge(replace(both, runs=(first, nothing_shared)), INVENTORY).outcome is Outcome.UNKNOWN


def test_a_process_and_several_hosts_have_nothing_to_compare(tmp_path: Path) -> None:
    assert observe(Site(PROCESS, tmp_path), Stage.PLAN) == Both(None, None)
    assert judge(Both(None, None), PROCESS).outcome is Outcome.NOT_APPLICABLE
    several = INVENTORY.model_copy(update={"hosts": INVENTORY.hosts * 2})
    assert judge(observe(Site(several, tmp_path), Stage.PLAN), several).outcome is Outcome.NOT_APPLICABLE


def test_what_cannot_be_rendered_is_unknown_with_the_reason(tmp_path: Path) -> None:
    chosen = contained(ipc="host")  # Kubernetes' rendering refuses it
    finding = judge(observe(Site(chosen, tmp_path / "i" / "r"), Stage.PLAN), chosen)
    assert finding.outcome in (Outcome.UNKNOWN, Outcome.FAIL)
    assert finding.outcome is not Outcome.PASS


# --- runs on the disk


def run(root: Path, name: str, runtime: str, *, stage: Stage = Stage.LIVE, context: int = 32_768) -> None:
    folder = root / "i" / name
    finding = Finding(Outcome.PASS, "said", "", "", "", "", Provenance.MEASURED_HERE)
    text = dict.fromkeys(("guide", "states", "remedy", "host", "engine", "product", "model"), "")
    at = datetime(2026, 11, 22, tzinfo=UTC)
    Ledger(folder).append(
        Evidence(
            "openai-api", 1, stage, Severity.BLOCKING, finding=finding, started_at=at, seconds=1.0, trail=(), **text
        )
    )
    told = sibling(INVENTORY, runtime).model_dump(mode="json")  # type: ignore[arg-type]
    told["serving"]["context_tokens"] = context
    (folder / "inventory.json").write_text(json.dumps(told))
    (folder / "run.json").write_text("{}")


def test_the_newest_whole_run_under_a_runtime_is_found(tmp_path: Path) -> None:
    assert run_of(tmp_path, INVENTORY, "compose") is None
    run(tmp_path, "20261101T000000Z-0001", "compose")
    run(tmp_path, "20261102T000000Z-0002", "kubernetes")
    run(tmp_path, "20261103T000000Z-0003", "compose", context=4096)
    run(tmp_path, "20261104T000000Z-0004", "compose", stage=Stage.STAGING)
    found = run_of(tmp_path, INVENTORY, "compose")
    assert found is not None and found.name == "i/20261101T000000Z-0001"
    assert found.verdicts == {("openai-api", Stage.LIVE): Outcome.PASS}
    other = run_of(tmp_path, sibling(INVENTORY, "kubernetes"), "kubernetes")
    assert other is not None and other.name == "i/20261102T000000Z-0002"


def test_a_damaged_or_unfinished_run_is_passed_over(tmp_path: Path) -> None:
    run(tmp_path, "20261101T000000Z-0001", "compose")
    (tmp_path / "i/20261101T000000Z-0001/inventory.json").write_text("{")
    run(tmp_path, "20261102T000000Z-0002", "compose")
    (tmp_path / "i/20261102T000000Z-0002/run.json").unlink()
    assert run_of(tmp_path, INVENTORY, "compose") is None
