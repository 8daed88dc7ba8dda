"""What stands beside the GPUs' verdict: host RAM, /dev/shm, load time, requests at once, and the budget's lines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from assumptions.formulas.memory import Fit, UnsupportedConfig, fit, read
from inventories.figures import FOLDER

CONFIG = json.loads((FOLDER / "configs/kimi-k2-thinking.json").read_text())
K2 = read(CONFIG)


def ask(**change: Any) -> Fit:
    plain = {"gpu_memory_gib": 139.8, "gpus": 16, "tp": 8, "context_tokens": 8192, "vllm": "0.33.0"}
    return fit(K2, **(plain | {"compute_capability": 9.0} | change))


def test_offloaded_weights_are_pinned_once_for_each_rank_of_a_host() -> None:
    """10 GiB per GPU: 80 on a host with 8 ranks, 40 on each of two."""
    assert ask(cpu_offload_gib=10).pinned_gib == 80
    assert ask(cpu_offload_gib=10, hosts=2).pinned_gib == 40
    assert ask().pinned_gib == 0


def test_shared_memory_is_one_queue_out_and_one_back_from_each_worker() -> None:
    """vllm#50606: at TP 2 160 + 2 x 240 = 640 MiB; a single rank has no queue."""
    assert ask(tp=2).shm_gib == 640 / 1024
    assert ask(tp=8).shm_gib == 2080 / 1024
    assert ask(tp=8, pp=2, hosts=2).shm_gib == 2080 / 1024
    assert ask(tp=1).shm_gib == 0


def test_host_ram_is_the_sum_that_its_sentence_tells() -> None:
    found = ask(cpu_offload_gib=10)
    ram = found.host_ram_gib
    assert ram and found.pinned_gib is not None and found.shm_gib is not None
    assert ram.low == pytest.approx(found.pinned_gib + found.shm_gib + 2.6 + 8 * 1.5)
    assert ram.high == pytest.approx(found.pinned_gib + found.shm_gib + 2.6 + 8 * 6)
    said = found.notes[0]
    assert f"host RAM {ram.low:.1f} to {ram.high:.1f} GiB = 80.0 pinned for offloaded weights" in said
    assert "assumed" in said and "page cache" in said


def test_load_time_is_the_read_and_what_two_logs_took_after_it() -> None:
    """553.40 GiB at 2 GiB/s: 276.7 s; then 90 s (8x H100) or 1,413 s (8x H200 at a cloud)."""
    load = ask(disk_gib_per_s=2.0).load_seconds
    assert load
    assert (load.low, load.mid, load.high) == pytest.approx((276.7, 366.7, 1689.7), abs=0.1)
    slow = ask(disk_gib_per_s=1.0).load_seconds
    assert slow and slow.low == pytest.approx(2 * load.low)


def test_a_disk_faster_than_any_logged_loader_promises_a_floor_and_nothing_more() -> None:
    """330 s were logged for 595 GB; at 3.73 GiB/s, the quickest of all logs, it is 148.4 s."""
    load = ask(disk_gib_per_s=100.0).load_seconds
    assert load and load.low == pytest.approx(5.5, abs=0.1) and load.mid == pytest.approx(148.4 + 90, abs=0.2)


def test_without_a_disk_speed_there_is_no_load_time_and_the_reason_is_said() -> None:
    assert ask().load_seconds is None
    assert "not said without the disk's speed" in ask().notes[1]


def test_a_told_size_replaces_the_arithmetic() -> None:
    assert ask(checkpoint_gib=100.0, disk_gib_per_s=1.0).load_seconds.low == 100  # type: ignore[union-attr]
    assert ask().checkpoint_gib == pytest.approx(594_205_904_896 / 2**30)


def test_requests_at_once_are_whole_and_count_all_replicas() -> None:
    one = ask(context_tokens=100_000)
    assert one.concurrent_requests and one.kv_tokens
    assert one.concurrent_requests.low == one.kv_tokens.low // 100_000
    short = ask(context_tokens=100_001)  # rounded up to a block of 16: 100,016
    assert short.concurrent_requests and short.kv_tokens
    assert short.concurrent_requests.high == short.kv_tokens.high // 100_016
    both = ask(context_tokens=8192, tp=4, dp=2, ep=True, gpu_memory_gib=269.0)
    assert both.kv_tokens and both.concurrent_requests
    assert both.concurrent_requests.mid == both.kv_tokens.mid // 8192 * 2


@pytest.mark.parametrize(
    "change", [{}, {"pp": 2}, {"cpu_offload_gib": 5.0}, {"overhead_gib": 4.0}, {"dcp": 8}, {"gpu_memory_gib": 79.18}]
)
def test_the_budgets_lines_add_up_to_it_on_every_stage(change: dict[str, Any]) -> None:
    found = ask(**change)
    stages = {row.stage for row in found.budget_table}
    assert stages == set(range(1, 1 + change.get("pp", 1)))
    for stage in stages:
        *lines, budget = (row for row in found.budget_table if row.stage == stage)
        assert budget.component == "budget" and budget.mid == found.budget_gib
        assert sum(row.mid for row in lines) == pytest.approx(budget.mid)
        assert all(row.low <= row.mid <= row.high and row.basis for row in lines)


def test_the_budget_names_what_is_whole_on_each_rank() -> None:
    """q_a_proj, kv_a_proj, norms and router: 2,179,342,336 bytes."""
    lines = {row.component: row for row in ask().budget_table}
    assert lines["weights whole on each rank"].mid == pytest.approx(2_179_342_336 / 2**30)
    assert lines["routed experts"].mid == pytest.approx(570_761_441_280 / 8 / 2**30)
    assert lines["overhead"].basis == "modelled"


def test_a_measured_overhead_replaces_the_range_and_says_so() -> None:
    found = ask(overhead_gib=4.97)
    assert found.overhead_gib and (found.overhead_gib.low, found.overhead_gib.high) == (4.97, 4.97)
    assert found.kv_tokens and found.kv_tokens.low == found.kv_tokens.high
    assert any("measured on this set-up" in source for source in found.sources)
    assert {row.basis for row in found.budget_table if row.component == "overhead"} == {"measured here"}


def test_a_measured_overhead_stands_for_the_card_but_not_for_pipelines() -> None:
    """On an A100 nothing was measured; whoever gives a figure of their own has."""
    a100 = {"gpu_memory_gib": 79.18, "compute_capability": 8.0, "tp": 16}
    assert ask(**a100).verdict == "tight"
    assert ask(**a100, overhead_gib=5.0).verdict == "fits"
    assert ask(**(a100 | {"tp": 8, "pp": 2}), overhead_gib=5.0).verdict == "tight"


@pytest.mark.parametrize(
    "change",
    [
        {"overhead_gib": -1.0},
        {"overhead_gib": float("nan")},
        {"disk_gib_per_s": 0.0},
        {"disk_gib_per_s": float("inf")},
        {"checkpoint_gib": -1.0},
        {"hosts": 0},
        {"hosts": 1.5},
        {"stored": {}},
        {"draft": {"model_type": "llama"}},
    ],
)
def test_bad_arguments_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedConfig):
        ask(**change)


def test_a_config_changed_in_place_is_read_anew() -> None:
    """What is kept between questions must not outlive a change of the caller's own dictionary."""
    config = json.loads(json.dumps(CONFIG))
    plain = {"gpu_memory_gib": 139.8, "gpus": 8, "tp": 8, "context_tokens": 8192, "vllm": "0.33.0"}
    before = fit(config, **plain).weights_gib_per_gpu
    config["quantization_config"]["config_groups"]["group_0"]["weights"]["group_size"] = 128
    after = fit(config, **plain).weights_gib_per_gpu
    assert before and after and after < before
