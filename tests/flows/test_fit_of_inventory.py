"""The memory object of each shipped inventory, from the one place that turns an inventory into a question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assumptions._core import Outcome, Stage
from assumptions._judge import judge
from assumptions._registry import claim
from flows.fit import of_inventory
from inventories.errors import BadInput
from inventories.load import load, names
from inventories.schema import Inventory
from tasks.site import Site
from tests.flows.test_fit_command import KEYS
from tests.recorded import recordings

OUTCOMES = {"fits": Outcome.PASS, "does-not-fit": Outcome.FAIL}


@pytest.fixture(autouse=True)
def checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEACHHEAD_CHECKOUT", recordings.CHECKOUT)
    monkeypatch.delenv("BEACHHEAD_INVENTORIES", raising=False)


def with_options(name: str, **options: Any) -> Inventory:
    inventory = load(name)
    engine = inventory.engine.model_copy(update={"options": {**inventory.engine.options, **options}})
    return inventory.model_copy(update={"engine": engine})


@pytest.mark.parametrize("name", names())
def test_it_has_the_commands_keys_and_says_what_the_claim_says(name: str, tmp_path: Path) -> None:
    inventory = load(name)
    told = of_inventory(inventory)
    assert set(told) == KEYS and told["reasons"]
    finding = judge(Site(inventory, tmp_path), claim("memory-fit"), Stage.PLAN).evidence.finding
    if inventory.hosts[0].gpus and inventory.engine.kind == "vllm":
        assert OUTCOMES.get(told["verdict"], Outcome.UNKNOWN) is finding.outcome
        assert told["budget_gib"] > 0 and told["budget_table"]
    else:
        assert told["verdict"] == "unsupported" and told["budget_gib"] is None


def test_what_it_can_not_say_it_says_why() -> None:
    assert "no memory model for the llamacpp engine" in of_inventory(load("mac-studio-m3-ultra"))["reasons"][0]
    assert "no GPU is declared" in of_inventory(load("rehearsal"))["reasons"][0]


def test_the_engines_options_reach_the_question() -> None:
    plain = of_inventory(load("h200x8"))
    assert plain["disk_gib"] == 563.40
    fp8 = of_inventory(with_options("h200x8", kv_cache_dtype="fp8"))
    assert fp8["kv_bytes_per_token_per_rank"] * 2 == plain["kv_bytes_per_token_per_rank"]
    dcp = of_inventory(with_options("h200x8", decode_context_parallel=8))
    assert dcp["kv_bytes_per_token_per_rank"] * 8 == plain["kv_bytes_per_token_per_rank"]
    full = of_inventory(with_options("h200x8", gpu_memory_utilization=0.97))
    assert full["budget_gib"] == pytest.approx(0.97 * 139.8)
    moved = of_inventory(with_options("h200x8", cpu_offload_gib=10))
    assert plain["weights_gib_per_gpu"] - moved["weights_gib_per_gpu"] == pytest.approx(10)
    assert moved["host_ram_gib"] - plain["host_ram_gib"] == pytest.approx(80)
    small = of_inventory(with_options("h200x8", max_num_seqs=16, max_num_batched_tokens=2048))
    assert small["overhead_gib"]["mid"] < plain["overhead_gib"]["mid"]


def test_two_hosts_share_the_ranks() -> None:
    """16 ranks on two machines: each holds eight workers' RAM and queues."""
    assert of_inventory(load("a100x16"))["shm_gib"] == 2080 / 1024
    stages = {row["stage"] for row in of_inventory(load("a100x16"))["budget_table"]}
    assert stages == set(range(1, 1 + load("a100x16").engine.pipeline_parallel))


def test_an_option_of_no_use_is_one_clear_error() -> None:
    for options in ({"gpu_memory_utilization": "much"}, {"decode_context_parallel": "x"}, {"cpu_offload_gib": -1}):
        with pytest.raises(BadInput, match="is"):
            of_inventory(with_options("h200x8", **options))
