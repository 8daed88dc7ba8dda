"""memory-fit: the arithmetic for every shipped inventory, and the engine's own log against it."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import pytest

from assumptions._core import Finding, Outcome, Provenance, Stage
from assumptions._judge import judge as look_and_judge
from assumptions._registry import claim
from assumptions.memory_fit import Memory, judge, observe, predicted, tables
from inventories.load import load, names
from inventories.schema import Inventory
from tasks.facts.engine_log import EngineLog, EngineLogFact
from tasks.site import Site
from tests.recorded import recordings

MEASURED_RUNS = Path(__file__).parent / "formulas/data/vllm_measurements.csv"
FAILS = ["a100x2", "a100x4", "a100x8", "a40x8", "h100x4", "h100x8", "rtx4090x8"]
PASSES = {"h200x8": "H200", "k8s-h200x8": "H200", "rehearsal": None}
UNKNOWN = {
    "a100x16": "pipeline parallelism; compute capability 8.0",
    "b200x8": "compute capability 10.0",
    "mac-studio-m3-ultra": "no memory model",
}


@pytest.fixture(autouse=True)
def checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEACHHEAD_CHECKOUT", recordings.CHECKOUT)
    monkeypatch.delenv("BEACHHEAD_INVENTORIES", raising=False)


def planned(inventory: Inventory, folder: Path) -> Finding:
    """The claim at PLAN, as a run judges it; no host is there to be asked."""
    evidence = look_and_judge(Site(inventory, folder), claim("memory-fit"), Stage.PLAN).evidence
    assert evidence.trail == ()
    assert evidence.finding.provenance is Provenance.MODELLED
    return evidence.finding


def test_every_shipped_inventory_is_here() -> None:
    assert sorted(names()) == sorted([*FAILS, *PASSES, *UNKNOWN])


@pytest.mark.parametrize("name", FAILS)
def test_it_does_not_fit_and_the_arithmetic_says_why(name: str, tmp_path: Path) -> None:
    finding = planned(load(name), tmp_path)
    assert finding.outcome is Outcome.FAIL
    sums = re.match(
        r"weights ([\d.]+) GiB on each of (\d+) GPUs, budget ([\d.]+) GiB = ([\d.]+) x ([\d.]+): "
        r"(?:short by ([\d.]+) GiB before any KV or overhead|([\d.]+) GiB left for overhead and KV)",
        finding.because,
    )
    assert sums, finding.because
    weights, gpus, budget, share, whole = (float(n) for n in sums.groups()[:5])
    assert gpus == sum(host.gpus for host in load(name).hosts)
    assert budget == pytest.approx(share * whole, abs=0.01)
    short, left = sums.group(6), sums.group(7)
    assert budget - weights == pytest.approx(-float(short) if short else float(left), abs=0.011)
    assert "even the low overhead leaves room for 0" in " ".join((finding.because, *finding.notes))
    if left:  # the weights alone would fit: what decides must be in the sentence itself
        assert re.search(r"overhead [\d.]+ to [\d.]+ GiB .* leaves -", finding.because)
    assert finding.value == weights


@pytest.mark.parametrize("name", ["h200x8"])
def test_it_fits_on_paper_and_measured_runs_on_that_card_stand_behind_it(name: str, tmp_path: Path) -> None:
    inventory = load(name)
    finding = planned(inventory, tmp_path)
    assert finding.outcome is Outcome.PASS
    site = Site(inventory, tmp_path / "again")
    assert predicted(observe(site, Stage.PLAN), inventory).unmeasured == ()
    with MEASURED_RUNS.open() as file:
        runs = [row for row in csv.DictReader(file) if row["gpu"].startswith(str(PASSES[name]))]
    assert any(row["outcome"] == "ok" and row["kv_tokens"] for row in runs)


def test_h200x8_has_the_figures_of_the_weights_and_the_budget(tmp_path: Path) -> None:
    finding = planned(load("h200x8"), tmp_path)
    assert finding.because.startswith("weights 70.95 GiB on each of 8 GPUs, budget 128.62 GiB = 0.92 x 139.8: ")
    assert finding.threshold == "budget 128.62 GiB per GPU"


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_nothing_measured_stands_behind_is_unknown(name: str, tmp_path: Path) -> None:
    finding = planned(load(name), tmp_path)
    assert finding.outcome is Outcome.UNKNOWN
    assert UNKNOWN[name] in " ".join((finding.because, *finding.notes))


def test_a_context_beyond_the_models_positions_is_unknown_with_the_reason(tmp_path: Path) -> None:
    inventory = load("h200x8")
    serving = inventory.serving.model_copy(update={"context_tokens": 300_000})
    finding = planned(inventory.model_copy(update={"serving": serving}), tmp_path)
    assert finding.outcome is Outcome.UNKNOWN and "300,000 tokens" in finding.because


def test_a_model_that_the_formulas_do_not_know_is_unknown() -> None:
    finding = judge(Memory({"model_type": "mamba"}, 139.8, 9.0, None, (8, 1, 1)), load("h200x8"))
    assert finding.outcome is Outcome.UNKNOWN


def rehearsal(kv_cache_gib: int = 1, ram_gib: float = 6.0, context_tokens: int = 32_768) -> Inventory:
    inventory = recordings.rehearsal(context_tokens)
    engine = inventory.engine.model_copy(update={"options": {**inventory.engine.options, "kv_cache_gib": kv_cache_gib}})
    host = inventory.hosts[0].model_copy(update={"ram_gib": ram_gib})
    return inventory.model_copy(update={"engine": engine, "hosts": (host,)})


@pytest.mark.parametrize(
    ("inventory", "outcome", "part"),
    [
        (rehearsal(), Outcome.PASS, None),
        (rehearsal(ram_gib=4.61), Outcome.PASS, None),
        (rehearsal(ram_gib=4.6), Outcome.FAIL, "ram"),
        (rehearsal(kv_cache_gib=3), Outcome.FAIL, "ram"),
    ],
)
def test_on_a_cpu_the_cache_and_the_ram_are_added_up(
    inventory: Inventory, outcome: Outcome, part: str | None, tmp_path: Path
) -> None:
    finding = planned(inventory, tmp_path)
    assert (finding.outcome, finding.unit) == (outcome, "tokens")
    assert finding.value == int(finding.parts[0].measured)
    assert [p.name for p in finding.parts if p.outcome is Outcome.FAIL] == ([part] if part else [])


def test_on_a_cpu_a_context_that_the_cache_cannot_hold_fails(tmp_path: Path) -> None:
    inventory = rehearsal()
    serving = inventory.serving.model_copy(update={"concurrent_requests": 15})  # 15 x 32,768 > 466,033
    finding = planned(inventory.model_copy(update={"serving": serving}), tmp_path)
    assert (finding.outcome, finding.because) == (Outcome.FAIL, "context: 466,033 tokens in 1 GiB")


RECORDED = Memory(recordings.config(), None, None, recordings.engine_log())


def logged(**changes: object) -> Memory:
    assert RECORDED.log is not None
    return replace(RECORDED, log=replace(RECORDED.log, **changes))  # type: ignore[arg-type]


def test_the_recorded_log_agrees_to_the_block() -> None:
    finding = judge(RECORDED, rehearsal())
    assert (finding.outcome, finding.provenance) == (Outcome.PASS, Provenance.MEASURED_HERE)
    assert finding.because == "the engine's 466,032 tokens agree with 2,304 bytes a token"
    assert finding.value is not None and finding.value < 0.001


@pytest.mark.parametrize(
    ("share", "outcome"),
    [(1.01, Outcome.FAIL), (0.99, Outcome.FAIL), (1.004, Outcome.PASS), (0.996, Outcome.PASS), (0.5, Outcome.FAIL)],
)
def test_a_log_that_deviates_fails_from_half_a_per_cent_on(share: float, outcome: Outcome) -> None:
    finding = judge(logged(kv_tokens=round(466_033 * share)), rehearsal())
    assert finding.outcome is outcome
    assert finding.value == pytest.approx(abs(share - 1) * 100, abs=0.001)
    if outcome is Outcome.FAIL:
        assert finding.because.startswith("kv-per-token: ") and "2,304 bytes a token" in finding.because


def test_a_log_with_too_few_tokens_for_the_context_fails() -> None:
    finding = judge(logged(kv_tokens=32_767, kv_gib=32_767 * 2304 / 2**30), rehearsal())
    assert (finding.outcome, finding.because) == (Outcome.FAIL, "context: room for 32767 tokens")


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"kv_tokens": None}, "kv-per-token: the log does not give both KV GiB and tokens"),
        ({"kv_gib": None}, "kv-per-token: the log does not give both KV GiB and tokens"),
        ({"kv_tokens": None, "kv_gib": None}, "kv-per-token: the log does not give both KV GiB and tokens"),
    ],
)
def test_a_log_without_the_figures_is_unknown(missing: dict[str, None], words: str) -> None:
    finding = judge(logged(**missing), rehearsal())
    assert (finding.outcome, finding.because) == (Outcome.UNKNOWN, words)
    assert finding.provenance is Provenance.MEASURED_HERE
    assert tables(logged(**missing)) == {}


def test_the_table_has_predicted_beside_measured() -> None:
    per_token, tokens = tables(RECORDED)["kv"]
    assert (per_token["predicted"], tokens["measured"]) == (2304, 466_032)
    assert per_token["measured"] == pytest.approx(2304, rel=1e-4)
    assert tokens["predicted"] == pytest.approx(466_033, abs=1)


def test_the_table_and_the_judge_use_the_same_split(tmp_path: Path) -> None:
    """As worded in vLLM 0.33 source; not recorded.  MLA's KV sharded over 8 ranks: an eighth of the bytes a token."""
    inventory = load("h200x8")
    engine = inventory.engine.model_copy(update={"options": {"device": "cuda", "decode_context_parallel": 8}})
    inventory = inventory.model_copy(update={"engine": engine})
    log: EngineLog = EngineLogFact("").parse(
        "Available KV cache memory: 47.00 GiB\nGPU KV cache size: 5,745,296 tokens, Maximum concurrency for "
    )
    seen = replace(observe(Site(inventory, tmp_path), Stage.PLAN), log=log)
    assert seen.split == (8, 1, 8)
    assert judge(seen, inventory).outcome is Outcome.PASS
    per_token, _ = tables(seen)["kv"]
    assert per_token["measured"] == pytest.approx(per_token["predicted"], rel=0.005)
    assert judge(replace(seen, split=(8, 1, 1)), inventory).outcome is Outcome.FAIL


def h200(ram_gib: float, **options: object) -> Inventory:
    inventory = load("h200x8")
    engine = inventory.engine.model_copy(update={"options": {**inventory.engine.options, **options}})
    host = inventory.hosts[0].model_copy(update={"ram_gib": ram_gib})
    return inventory.model_copy(update={"engine": engine, "hosts": (host,)})


def test_ram_too_small_for_offloaded_weights_fails(tmp_path: Path) -> None:
    """8 GPUs x 40 GiB pinned and 2.03 GiB of /dev/shm are certain; how large a worker is, is not."""
    finding = planned(h200(322, cpu_offload_gib=40), tmp_path)
    assert finding.outcome is Outcome.FAIL
    assert finding.because == "host-ram: 322.0 GiB of offloaded weights and /dev/shm, 322 GiB of RAM on a host"


@pytest.mark.parametrize(("ram_gib", "outcome"), [(16.6, Outcome.UNKNOWN), (16.7, Outcome.PASS), (2.0, Outcome.FAIL)])
def test_a_shortfall_that_is_only_modelled_is_unknown(ram_gib: float, outcome: Outcome, tmp_path: Path) -> None:
    """2.03 + 2.6 + 8 x 1.5 = 16.63 GiB at the least; 52.6 at the most is told in a note."""
    finding = planned(h200(ram_gib), tmp_path)
    assert finding.outcome is outcome
    assert any(note.startswith("host RAM: ") for note in finding.notes)
    if outcome is Outcome.UNKNOWN:
        assert finding.because.startswith("host-ram: 16.6 to 52.6 GiB needed (modelled)")


@pytest.mark.parametrize(("kv_gib", "inside"), [(49.0, True), (57.0, False)])
def test_a_log_tells_the_overhead_beside_the_modelled_one(kv_gib: float, inside: bool, tmp_path: Path) -> None:
    """128.62 GiB of budget, 71.16 loaded as K2.6's logs say: with 49.00 of KV 8.46 is left, with 57.00 0.46."""
    inventory = load("h200x8")
    tokens = int(kv_gib * 2**30 / 70_272)
    log = EngineLogFact("").parse(
        f"Model loading took 71.16 GiB memory and 330.0 seconds\nAvailable KV cache memory: {kv_gib:.2f} GiB\n"
        f"GPU KV cache size: {tokens:,} tokens"
    )
    seen = replace(observe(Site(inventory, tmp_path), Stage.PLAN), log=log)
    finding = judge(seen, inventory)
    assert finding.outcome is Outcome.PASS
    (note,) = finding.notes
    assert f"measured here {128.616 - 71.16 - kv_gib:.2f} GiB" in note and "71.16 GiB loaded, 70.95 predicted" in note
    assert (", inside the modelled" in note) is inside and (", OUTSIDE the modelled" in note) is not inside


def test_a_log_without_the_loads_size_says_nothing_of_the_overhead(tmp_path: Path) -> None:
    inventory = load("h200x8")
    log = EngineLogFact("").parse("Available KV cache memory: 47.00 GiB\nGPU KV cache size: 718,144 tokens")
    finding = judge(replace(observe(Site(inventory, tmp_path), Stage.PLAN), log=log), inventory)
    assert (finding.outcome, finding.notes) == (Outcome.PASS, ())


def test_fp8_kv_is_expected_of_the_log_when_it_is_declared(tmp_path: Path) -> None:
    inventory = h200(2048, kv_cache_dtype="fp8")
    log = EngineLogFact("").parse("Available KV cache memory: 47.00 GiB\nGPU KV cache size: 1,436,288 tokens")
    seen = replace(observe(Site(inventory, tmp_path), Stage.PLAN), log=log)
    assert judge(seen, inventory).outcome is Outcome.PASS
    assert tables(seen)["kv"][0]["predicted"] == 35_136
    assert judge(replace(seen, kv_dtype="auto"), inventory).outcome is Outcome.FAIL
