"""The guide's figures of the model: size, active part, offloading, paging, download, shape; each on both sides."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assumptions import (
    active_parameters_40_gb,
    checkpoint_size_500_gb,
    download_hours,
    kv_saving_by_paging,
    model_architecture,
    offload_256_gb,
)
from assumptions._core import Finding, Outcome, Provenance, Stage
from assumptions._judge import judge as look_and_judge
from assumptions._paper import close, half_step
from inventories.figures import model
from inventories.load import load
from inventories.schema import Inventory
from tasks import checkpoints
from tasks.facts.base import NotUnderstood
from tasks.facts.weights import HubFile
from tasks.fake import FakeHost
from tasks.site import Site
from tests.assumptions.planned import planned
from tests.recorded import recordings

BOUGHT = load("a100x4")
SITE = planned(BOUGHT)
UNKNOWN_MODEL = {"model_type": "mamba"}


def seen(module: Any, **change: Any) -> Any:
    return replace(module.observe(SITE, Stage.PLAN), **change)


def judged(module: Any, observation: Any, inventory: Inventory = BOUGHT) -> Finding:
    finding: Finding = module.judge(observation, inventory)
    assert len(finding.because) <= 200 and finding.threshold and finding.threshold_source
    return finding


def case(module: Any, **change: Any) -> Callable[[], tuple[Any, str]]:
    return lambda: (seen(module, **change), "a100x4")


def shapes(**change: Any) -> Any:
    config = {**model("kimi-k2-thinking").read_config(), **change}
    return seen(model_architecture, configs={"kimi-k2-thinking": config})


RECORDED_CASES = {
    "checkpoint-size-500-gb": {
        "pass": case(checkpoint_size_500_gb, said_gb=594.0),
        "fail": case(checkpoint_size_500_gb),
        "unknown": case(checkpoint_size_500_gb, found_bytes=None),
    },
    "active-parameters-40-gb": {
        "pass": case(active_parameters_40_gb, said_gb=33.0),
        "fail": case(active_parameters_40_gb),
        "unknown": case(active_parameters_40_gb, config=UNKNOWN_MODEL),
    },
    "offload-256-gb": {
        "pass": case(offload_256_gb, ram_gb=650.0, run="a public log with 300 GB of this model offloaded"),
        "fail": case(offload_256_gb),
        "unknown": case(offload_256_gb, ram_gb=650.0),
    },
    "kv-saving-by-paging": {
        "pass": case(kv_saving_by_paging, request_tokens=100_000),
        "fail": case(kv_saving_by_paging),
        "unknown": case(kv_saving_by_paging, request_tokens=None),
    },
    "download-hours": {
        "pass": case(download_hours, said_hours=(1.0, 1.3), said_minutes=(10.0, 8.0), hub_gbit_s=11.0),
        "fail": case(download_hours),
        "unknown": case(download_hours, said_hours=(1.0, 1.3), said_minutes=(10.0, 8.0)),
    },
    "model-architecture": {
        "pass": case(model_architecture),
        "fail": lambda: (shapes(n_routed_experts=256), "a100x4"),
        "unknown": lambda: (shapes(model_type="mamba"), "a100x4"),
    },
}


@pytest.mark.parametrize(
    ("figure", "half"), [(500, 50), (630, 5), (375, 0.5), (1.1, 0.05), (7, 0.5), (99_000, 500), (27_375, 0.5)]
)
def test_a_figure_stands_for_what_rounds_to_it(figure: float, half: float) -> None:
    assert half_step(figure) == pytest.approx(half)
    assert close(figure + half, figure) and not close(figure + half * 1.01, figure)


@pytest.mark.parametrize(("gigabytes", "outcome"), [(450, "PASS"), (549.9, "PASS"), (550.1, "FAIL"), (449.9, "FAIL")])
def test_500_gb_is_what_rounds_to_it(gigabytes: float, outcome: str) -> None:
    real = seen(checkpoint_size_500_gb, found_bytes=gigabytes * 1e9)
    assert str(judged(checkpoint_size_500_gb, real).outcome) == outcome


def test_the_guides_model_takes_594_gb() -> None:
    finding = judged(checkpoint_size_500_gb, seen(checkpoint_size_500_gb))
    assert (finding.outcome, finding.value, finding.provenance) == (Outcome.FAIL, 594.2, Provenance.MODELLED)
    assert "(+19%)" in finding.because


def pinned(catalog: str) -> Inventory:
    base = recordings.rehearsal()
    return base.model_copy(update={"model": base.model.model_copy(update={"catalog": catalog, "revision": "a" * 40})})


class Listed:
    """A host that answers any command with one text."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, inventory: Inventory, answer: Any) -> None:
        self.site = Site(inventory, folder)
        for module in (checkpoints, model_architecture):
            monkeypatch.setattr(module, "look", lambda host, fact, timeout=60: answer)
        self.site.use(inventory.hosts[0].name, FakeHost(inventory.hosts[0].name, {}))


def test_at_the_weights_the_hubs_own_list_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = (HubFile("model-1.safetensors", 594 * 10**9, "0" * 64, None), HubFile("README.md", 10**9, None, "0" * 40))
    inventory = pinned("kimi-k2-thinking")
    observed = checkpoint_size_500_gb.observe(Listed(monkeypatch, tmp_path, inventory, files).site, Stage.WEIGHTS)
    finding = judged(checkpoint_size_500_gb, observed, inventory)
    assert (finding.outcome, finding.value, finding.provenance) == (Outcome.FAIL, 594.0, Provenance.VENDOR)
    assert "1 weight files" in finding.because
    nothing = checkpoint_size_500_gb.observe(Listed(monkeypatch, tmp_path, inventory, files[1:]).site, Stage.WEIGHTS)
    assert judged(checkpoint_size_500_gb, nothing, inventory).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("module", [checkpoint_size_500_gb, model_architecture], ids=lambda m: m.ASSUMPTION.id)
def test_another_model_on_the_host_says_nothing_about_the_guides(module: Any, tmp_path: Path) -> None:
    """As in the rehearsal: nothing is asked of the host."""
    evidence = look_and_judge(Site(recordings.rehearsal(), tmp_path), module.ASSUMPTION, Stage.WEIGHTS).evidence
    assert evidence.finding.outcome is Outcome.NOT_APPLICABLE and evidence.trail == ()
    assert "serves tiny-k2" in evidence.finding.because


def test_a_token_reads_33_gb() -> None:
    finding = judged(active_parameters_40_gb, seen(active_parameters_40_gb))
    assert finding.value == pytest.approx(32.99, abs=0.01)
    assert [str(part.outcome) for part in finding.parts] == ["PASS", "FAIL"]


@pytest.mark.parametrize(("ram", "outcome"), [(277.0, "FAIL"), (278.0, "UNKNOWN")])
def test_offloading_turns_at_the_bytes_that_do_not_fit(ram: float, outcome: str) -> None:
    assert str(judged(offload_256_gb, seen(offload_256_gb, ram_gb=ram)).outcome) == outcome


def test_a_run_does_not_help_where_the_bytes_do_not_fit() -> None:
    assert judged(offload_256_gb, seen(offload_256_gb, run="somebody's log")).outcome is Outcome.FAIL
    assert judged(offload_256_gb, seen(offload_256_gb, config=UNKNOWN_MODEL)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("tokens", "outcome"), [(104_857, "PASS"), (106_500, "FAIL"), (262_144, "FAIL"), (1, "PASS")])
def test_paging_saves_what_short_requests_leave(tokens: int, outcome: str) -> None:
    assert str(judged(kv_saving_by_paging, seen(kv_saving_by_paging, request_tokens=tokens)).outcome) == outcome


def test_a_token_takes_the_same_bytes_with_paging() -> None:
    finding = judged(kv_saving_by_paging, seen(kv_saving_by_paging))
    assert finding.value == 0.0 and "70,272 bytes a token: 68.6 GiB" in finding.notes[0]


def test_the_bare_line_takes_longer_than_the_guide_says() -> None:
    finding = judged(download_hours, seen(download_hours))
    assert "1.32 h" in finding.measured and "7.9 min" in finding.measured
    slow = seen(download_hours, said_hours=(1.0, 1.3), said_minutes=(10.0, 8.0), hub_gbit_s=0.8)
    assert judged(download_hours, slow).outcome is Outcome.FAIL


def test_both_documents_shapes_are_those_of_the_config() -> None:
    finding = judged(model_architecture, seen(model_architecture))
    assert finding.outcome is Outcome.PASS and len(finding.parts) == 12


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"num_experts_per_tok": 6}, "top-k"),
        ({"max_position_embeddings": 131_072}, "context"),
        ({"quantization_config": None}, "bits"),
        ({"num_hidden_layers": 30}, "parameters"),
    ],
)
def test_one_other_figure_fails_and_is_named(change: dict[str, Any], part: str) -> None:
    finding = judged(model_architecture, shapes(**change))
    assert finding.outcome is Outcome.FAIL
    assert f"kimi-k2-thinking: {part}" in {each.name for each in finding.parts if each.outcome is Outcome.FAIL}


def test_at_the_weights_the_fetched_config_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inventory, text = pinned("kimi-k2.5"), model("kimi-k2.5").config_path().read_text()
    observed = model_architecture.observe(Listed(monkeypatch, tmp_path, inventory, text).site, Stage.WEIGHTS)
    finding = judged(model_architecture, observed, inventory)
    assert (finding.outcome, finding.provenance, len(finding.parts)) == (Outcome.PASS, Provenance.MEASURED_HERE, 6)


def test_no_config_beside_the_weights_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    site = Listed(monkeypatch, tmp_path, pinned("kimi-k2.5"), None).site
    with pytest.raises(NotUnderstood, match="config"):
        model_architecture.observe(site, Stage.WEIGHTS)
