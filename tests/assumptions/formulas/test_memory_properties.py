"""What must hold for every question: ordered ranges, conserved bytes, and no exception but UnsupportedConfig."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assumptions.formulas.memory import Fit, UnsupportedConfig, fit, kv_bytes_per_token_per_rank, kv_tokens, read
from assumptions.formulas.padding import expert_growth
from assumptions.formulas.weights import split_bytes, stage_bytes

CONFIGS = {
    path.name.split("_config")[0]: json.loads(path.read_text())
    for path in sorted((Path(__file__).parent / "data" / "configs").glob("*.json"))
}
models = st.sampled_from(sorted(CONFIGS))
powers = st.sampled_from([1, 2, 4, 8])
versions = st.sampled_from(["0.6.4", "0.11.0", "0.13.0", "0.18.0", "0.20.0", "0.33.0", "nightly"])
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ARGUMENTS = tuple(name for name in inspect.signature(fit).parameters if name != "config")
ORDER = {"does-not-fit": 0, "tight": 1, "fits": 2}


def ask(name: str, **change: Any) -> Fit:
    arguments: dict[str, Any] = {"gpu_memory_gib": 139.8, "gpus": 64, "tp": 8, "context_tokens": 8192, "vllm": "0.33.0"}
    return fit(CONFIGS[name], **(arguments | change))


@quick
@given(models, versions, powers, st.floats(1, 300), st.integers(16, 40_000), st.integers(1, 50))
def test_ranges_are_ordered_and_the_verdict_follows_from_them(
    name: str, vllm: str, tp: int, memory: float, context: int, requests: int
) -> None:
    found = ask(name, vllm=vllm, tp=tp, gpu_memory_gib=memory, context_tokens=context, concurrent_requests=requests)
    assert found.verdict in ORDER
    assert found.kv_tokens and found.max_context_tokens and found.kv_gib_per_gpu and found.overhead_gib
    for part in (found.kv_tokens, found.max_context_tokens, found.kv_gib_per_gpu, found.overhead_gib):
        assert part.low <= part.mid <= part.high
    if found.verdict == "fits":
        assert found.max_context_tokens.low >= context
    if found.verdict == "does-not-fit":
        assert found.kv_tokens.high < -(-context // 16) * 16 * requests


@quick
@given(models, powers, st.integers(0, 1000), st.floats(20, 200))
def test_more_gpus_at_equal_parallelism_change_nothing(name: str, tp: int, spare: int, memory: float) -> None:
    assert ask(name, tp=tp, gpus=tp, gpu_memory_gib=memory) == ask(name, tp=tp, gpus=tp + spare, gpu_memory_gib=memory)


@quick
@given(models, versions, st.floats(20, 69), st.floats(0, 0.9))
def test_a_larger_budget_is_never_worse(name: str, vllm: str, memory: float, more: float) -> None:
    """Within one class of card: from 70 GiB vLLM warms up with larger batches, which can cost more than it gains."""
    small = ask(name, vllm=vllm, gpu_memory_gib=memory)
    large = ask(name, vllm=vllm, gpu_memory_gib=memory + more)
    assert small.kv_tokens and large.kv_tokens
    assert ORDER[large.verdict] >= ORDER[small.verdict] and large.kv_tokens.low >= small.kv_tokens.low


@quick
@given(models, powers, st.integers(1, 8))
def test_pipeline_stages_hold_the_same_bytes_together(name: str, tp: int, pp: int) -> None:
    arch = read(CONFIGS[name])
    assert sum(stage_bytes(arch, tp=tp, pp=pp)) == stage_bytes(arch, tp=tp)[0]


@quick
@given(models, powers, st.floats(0, 60), st.floats(0.05, 50), st.integers(1, 4), st.sampled_from([1, 2]))
def test_what_stands_beside_the_verdict_is_ordered_too(
    name: str, tp: int, offload: float, speed: float, hosts: int, pp: int
) -> None:
    found = ask(name, tp=tp, pp=pp, hosts=hosts, cpu_offload_gib=offload, disk_gib_per_s=speed)
    for part in (found.host_ram_gib, found.concurrent_requests, found.load_seconds):
        assert part is None or 0 <= part.low <= part.mid <= part.high
    assert found.host_ram_gib and found.pinned_gib is not None and found.pinned_gib <= found.host_ram_gib.low
    fewer = ask(name, tp=tp, pp=pp, hosts=hosts + 1, cpu_offload_gib=offload).host_ram_gib
    assert fewer and fewer.high <= found.host_ram_gib.high  # more hosts never put more on one of them


@quick
@given(models, powers, st.floats(0, 30), st.floats(0, 5))
def test_a_larger_measured_overhead_is_never_better(name: str, tp: int, overhead: float, more: float) -> None:
    small, large = (ask(name, tp=tp, overhead_gib=gib) for gib in (overhead, overhead + more))
    assert small.kv_tokens and large.kv_tokens
    assert small.kv_tokens.low == small.kv_tokens.high >= large.kv_tokens.high
    assert ORDER[small.verdict] >= ORDER[large.verdict]


@quick
@given(models, powers, st.integers(1, 5), st.sampled_from(["none", "weights"]))
def test_the_budget_table_holds_the_weights_of_every_stage(name: str, tp: int, pp: int, encoder: str) -> None:
    arch = read(CONFIGS[name])
    if arch.vision_params is None:
        encoder = "none"
    found = ask(name, tp=tp, pp=pp, mm_encoder=encoder)
    kinds = ("routed experts", "weights divided over ranks", "weights whole on each rank", "vision tower")
    growth = expert_growth(arch, ranks=tp, ep=False, weight_quant=None, vllm="0.33.0", compute_capability=None)
    for stage, part in enumerate(split_bytes(arch, tp=tp, pp=pp, mm_encoder=encoder, expert_growth=growth), start=1):
        rows = [row.mid for row in found.budget_table if row.stage == stage and row.component in kinds]
        assert abs(sum(rows) - part.total / 2**30) < 1e-6


@quick
@given(models, st.sampled_from([2, 4, 8]), st.integers(1, 4))
def test_tensor_parallel_ranks_hold_every_sharded_byte_once(name: str, tp: int, pp: int) -> None:
    """All ranks together hold the model plus tp - 1 further copies of what is whole on each: the same for every tp.

    tp stays at or below the key/value heads here (each model has at least 4), so no head is copied.
    """
    arch = read(CONFIGS[name])
    if not arch.mla and tp > arch.kv_heads:
        tp = arch.kv_heads
    alone = stage_bytes(arch, tp=1)[0]
    copied = [(size * sum(stage_bytes(arch, tp=size, pp=pp)) - alone) / (size - 1) for size in (2, tp)]
    assert abs(copied[0] - copied[1]) <= 20 * arch.layers * tp  # each tensor is rounded up to a byte
    assert 0 <= copied[0] < 0.05 * alone


@quick
@given(models, powers, st.sampled_from(["auto", "fp8"]))
def test_kv_per_rank_never_grows_with_tensor_parallelism(name: str, tp: int, kv_dtype: str) -> None:
    arch = read(CONFIGS[name])
    assert kv_bytes_per_token_per_rank(arch, tp=tp, kv_dtype=kv_dtype) <= kv_bytes_per_token_per_rank(
        arch, tp=1, kv_dtype=kv_dtype
    )


@given(st.floats(-1e12, 1e13), st.integers(1, 10**7), st.integers(1, 4096))
def test_tokens_are_whole_blocks_that_fit(kv_bytes: float, per_token: int, block: int) -> None:
    tokens = kv_tokens(kv_bytes, per_token, block)
    assert tokens >= 0 and tokens % block == 0
    assert tokens == 0 or tokens * per_token <= kv_bytes < (tokens + block) * per_token * (1 + 1e-9)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(
    sorted(
        {key for config in CONFIGS.values() for key in (config | config.get("text_config", {}))} | {"ignore", "bits"}
    )
)
quantisations = st.dictionaries(
    st.sampled_from(["quant_method", "ignore", "config_groups", "bits", "group_size", "weight_block_size", "dynamic"]),
    st.sampled_from(["fp8", "gptq", "awq", "compressed-tensors", "modelopt", ["re:("], ["re:.*"], 4, 0, -1])
    | json_values,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(models, st.dictionaries(keys, json_values, max_size=3), st.none() | quantisations, st.booleans())
def test_a_damaged_config_gives_an_answer_or_a_refusal(
    name: str, damage: dict[str, Any], stored: dict[str, Any] | None, nested: bool
) -> None:
    base = CONFIGS[name].get("text_config", CONFIGS[name])
    config = base | damage | ({"quantization_config": stored} if stored is not None else {})
    found = fit(
        {"text_config": config} if nested else config,
        gpu_memory_gib=80.0,
        gpus=8,
        tp=8,
        context_tokens=1024,
        vllm="0.33.0",
    )
    assert found.verdict in (*ORDER, "unsupported")
    assert found.reasons


@given(json_values)
def test_anything_at_all_in_place_of_a_config(config: Any) -> None:
    found = fit(config, gpu_memory_gib=80.0, gpus=1, tp=1, context_tokens=1024, vllm="0.33.0")
    assert found.verdict == "unsupported"


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(ARGUMENTS),
        json_values | st.integers(1, 16) | st.just(float("inf")) | st.just(10**5000),
        max_size=4,
    )
)
def test_damaged_arguments_are_refused_in_one_way(change: dict[str, Any]) -> None:
    try:
        found = ask("meta-llama--Meta-Llama-3.1-8B", **change)
    except UnsupportedConfig:
        return
    assert found.verdict in (*ORDER, "unsupported")
