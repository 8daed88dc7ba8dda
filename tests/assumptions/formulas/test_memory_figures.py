"""Unit figures of the memory model, each with its derivation.

Measured ones: vllm-project/recipes@8959cf6 (K2-Thinking on H200), public server logs (K2.6 DP8/EP8), a vLLM 0.32
server on a CPU (block counts), and the rows of data/vllm_measurements.csv that are named by id.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assumptions.formulas.memory import (
    UnsupportedConfig,
    checkpoint_bytes,
    default_utilization,
    fit,
    kv_bytes_per_token_per_rank,
    kv_tokens,
    read,
    weights_gib_per_gpu,
)
from assumptions.formulas.overhead import activation_bytes_per_token, era_of, overhead_gib
from assumptions.formulas.quantization import quantization
from assumptions.formulas.tensors import Tensor, params
from assumptions.formulas.weights import stages

CONFIGS = Path(__file__).parent / "data" / "configs"
GIB = 2**30


def config(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CONFIGS / f"{name}_config.json").read_text())
    return loaded


K25 = config("moonshotai--Kimi-K2.5")
THINKING = K25["text_config"]  # K2-Thinking is K2.5's decoder under its own name
LLAMA8 = config("meta-llama--Meta-Llama-3.1-8B")
LLAMA70 = config("meta-llama--Meta-Llama-3.1-70B")
R1 = config("deepseek-ai--DeepSeek-R1")


def ask(model: dict[str, Any], **change: Any) -> Any:
    arguments: dict[str, Any] = {"gpu_memory_gib": 139.8, "gpus": 8, "tp": 8, "context_tokens": 8192, "vllm": "0.33.0"}
    return fit(model, **(arguments | change))


def test_kimi_parameters_by_family() -> None:
    """384 experts x 60 layers x 3 x 7168 x 2048 = 1,014,686,023,680; the text model 1,026,408,232,448.

    Vision 416,866,032 + 54,277,888.  The fp32 router bias, 60 x 384 = 23,040, is counted with the router.
    """
    found = params(read(K25))
    assert found["experts"] == 1_014_686_023_680
    assert found["vision"] == 471_143_920
    assert sum(found.values()) - found["vision"] == 1_026_408_232_448
    assert found["router"] == 60 * (384 * 7168 + 384)


def test_deepseek_r1_parameters() -> None:
    """671 B without the multi-token-prediction layer, the number in every public description of it."""
    assert sum(params(read(R1)).values()) == 671_026_419_200


def test_checkpoint_bytes_of_kimi() -> None:
    """Packed 507,343,011,840 + scales 63,417,876,480 + bf16 23,444,371,456 + fp32 92,160 + shapes 69,120 x 8.

    K2.5 adds 471,143,920 x 2 bytes of vision.
    """
    assert checkpoint_bytes(read(THINKING)) == 594_205_904_896
    assert checkpoint_bytes(read(K25)) == 595_148_192_736


def test_an_unknown_vision_tower_stops_only_what_needs_it() -> None:
    arch = read({"text_config": THINKING, "vision_config": {"hidden_size": 1024}})
    assert weights_gib_per_gpu(arch, tp=8) == pytest.approx(70.95, abs=0.005)
    with pytest.raises(UnsupportedConfig, match="vision tower"):
        checkpoint_bytes(arch)
    with pytest.raises(UnsupportedConfig, match="vision tower"):
        weights_gib_per_gpu(arch, tp=8, mm_encoder="data")


@pytest.mark.parametrize(("tp", "gib"), [(4, 139.87), (8, 70.95), (16, 36.49)])
def test_kimi_weights_per_gpu(tp: int, gib: float) -> None:
    """Sharded bytes / TP plus q_a, kv_a, norms and router in full on each rank."""
    assert weights_gib_per_gpu(read(THINKING), tp=tp) == pytest.approx(gib, abs=0.005)


def test_kimi_vision_tower_whole_or_divided() -> None:
    """942,287,840 bytes = 0.878 GiB on each rank, or an eighth of it."""
    arch = read(K25)
    alone = weights_gib_per_gpu(arch, tp=8)
    assert weights_gib_per_gpu(arch, tp=8, mm_encoder="data") - alone == pytest.approx(0.8776, abs=1e-4)
    assert weights_gib_per_gpu(arch, tp=8, mm_encoder="weights") - alone == pytest.approx(0.1097, abs=1e-4)


def test_attention_is_whole_on_each_rank_under_data_parallelism() -> None:
    """K2.6 DP8/EP8: 570,760,888,320 bytes of experts / 8 + all the rest; measured 88.44 GiB."""
    assert weights_gib_per_gpu(read(THINKING), tp=1, dp=8, ep=True) == pytest.approx(88.44, rel=0.005)


def test_group_scales_are_counted() -> None:
    """One expert matrix, 2048 x 7168: 7,340,032 packed + 458,752 scales of 2 bytes + 8 of shape."""
    matrix = Tensor("experts", "model.layers.5.mlp.experts.0.up_proj", 2048, 7168, linear=True)
    stored = quantization(THINKING["quantization_config"])
    assert stored.bytes_of(matrix) == 2048 * 7168 // 2 + 2048 * 7168 // 32 * 2 + 8
    for name in ("model.layers.5.self_attn.o_proj", "model.layers.0.mlp.up_proj", "lm_head"):
        assert stored.bytes_of(Tensor("x", name, 2048, 7168, linear=True)) == 2048 * 7168 * 2


@pytest.mark.parametrize(
    ("named", "size"),
    [
        ("bf16", 2 * 1024 * 1024),
        ("fp8-dynamic", 1024 * 1024 + 1024 * 4),
        ("fp8-block", 1024 * 1024 + 8 * 8 * 4),
        ("w4a16-g32", 1024 * 512 + 1024 * 32 * 2 + 8),
        ("gptq-g128", 1024 * 512 + 1024 * 8 * 2 + 1024 * 8 // 2),
        ("mxfp4", 1024 * 512 + 1024 * 32),
        ("nvfp4", 1024 * 512 + 1024 * 64 + 4),
    ],
)
def test_bytes_of_a_matrix_in_each_override(named: str, size: int) -> None:
    """1024 x 1024: numbers, then scales (per row, per 128 x 128, per 32, 128 or 16 inputs), zero points, shape."""
    matrix = Tensor("dense", "model.layers.0.mlp.up_proj", 1024, 1024, linear=True)
    assert quantization(None, named).bytes_of(matrix) == size


def test_an_override_that_agrees_keeps_the_declared_ignore_list() -> None:
    declared = read(THINKING).quantization
    assert quantization(declared, "compressed-tensors INT4 g32 (experts only)").name == "compressed-tensors"
    assert quantization(declared, "nvfp4").name == "nvfp4"
    with pytest.raises(UnsupportedConfig, match="does not say"):
        quantization(None, "compressed-tensors")


@pytest.mark.parametrize(("kv_dtype", "size"), [("auto", 70_272), ("fp8", 35_136), ("fp8_ds_mla", 40_016)])
def test_latent_kv_is_whole_on_each_rank(kv_dtype: str, size: int) -> None:
    """61 layers x (512 + 64) x 2 or 1 bytes, 656 bytes per layer for fp8_ds_mla, whatever TP is."""
    for tp in (1, 8, 64):
        assert kv_bytes_per_token_per_rank(read(K25), tp=tp, kv_dtype=kv_dtype) == size


def test_context_parallel_ranks_share_each_token() -> None:
    """46.80 GiB measured 715,072 tokens on 8x H200 and, with DCP8, 5,721,088."""
    arch = read(K25)
    alone, shared = (kv_bytes_per_token_per_rank(arch, tp=8, dcp=dcp) for dcp in (1, 8))
    assert shared == alone / 8
    assert kv_tokens(46.80 * GIB, alone, 64) == pytest.approx(715_072, rel=1e-4)
    assert kv_tokens(46.80 * GIB, shared, 512) == pytest.approx(5_721_088, rel=1e-4)


@pytest.mark.parametrize(("tp", "heads"), [(1, 8), (4, 2), (8, 1), (16, 1)])
def test_grouped_kv_is_divided_down_to_one_head(tp: int, heads: int) -> None:
    """Llama 70B: 80 layers x 2 x heads on the rank x 128 x 2 bytes."""
    assert kv_bytes_per_token_per_rank(read(LLAMA70), tp=tp) == 80 * 2 * heads * 128 * 2


@pytest.mark.parametrize(("layers", "block", "tokens"), [(3, 128, 310_656), (2, 16, 466_032)])
def test_tokens_come_in_whole_blocks(layers: int, block: int, tokens: int) -> None:
    """1 GiB / (layers x 576 x 2 bytes), rounded down to blocks: logged by vLLM 0.32 on a CPU."""
    assert kv_tokens(GIB, layers * 576 * 2, block) == tokens
    assert kv_tokens(-GIB, layers * 576 * 2, block) == 0


def test_a_pipeline_stage_holds_its_own_layers_only() -> None:
    """61 layers in two stages: vLLM gives the spare layer to the stage before the last."""
    arch = read(THINKING)
    assert stages(arch, 2) == (range(31), range(31, 61))
    assert kv_bytes_per_token_per_rank(arch, tp=8, pp=2) == 31 * 576 * 2
    assert weights_gib_per_gpu(arch, tp=8, pp=2) < 0.52 * weights_gib_per_gpu(arch, tp=8)


def test_default_utilization_by_version() -> None:
    assert [default_utilization(v) for v in ("0.11.2", "v0.19.0+rhai", "0.20.0", "nightly")] == [0.90] * 4
    assert [default_utilization(v) for v in ("0.25.0", "0.30.0", "0.33.0")] == [0.92] * 3


@pytest.mark.parametrize(
    ("text", "era"),
    [
        ("~0.6.4 (V0 engine, 2024-12)", "V0 engine"),
        ("v0.11.0", "0.8 to 0.11.0"),
        ("v0.11.2+rhai1", "0.11.1 to 0.16"),
        ("0.19.0", "0.17 to 0.19"),
        ("0.26.1rc1.dev608+g99a10304d", "0.20 and later"),
        ("custom 2026-04 (upstream+PRs)", "version not readable"),
        ("0.1.dev20051+g487ecf187", "version not readable"),
    ],
)
def test_versions_as_logs_write_them(text: str, era: str) -> None:
    assert era_of(text).name == era


def test_activation_per_token_against_the_v0_rows() -> None:
    """RTX 3090: 2.07 GiB at 20,000 tokens and 2.99 at 29,000 are 111,132 and 110,706 bytes per token."""
    assert activation_bytes_per_token(read(LLAMA8), 1) == 110_592


def test_overhead_mid_against_logs_that_name_their_parts() -> None:
    """H100, ~0.11: activation + non-torch 4.89 (Llama 8B TP1) and 5.39 (70B TP2), rows m285 and m284."""
    for model, tp, measured in ((LLAMA8, 1, 4.89), (LLAMA70, 2, 5.39)):
        found = overhead_gib("~v0.11", read(model), tp=tp, gpu_memory_gib=79.18, compute_capability=9.0)
        assert found.mid == pytest.approx(measured, abs=0.25)
        assert found.low <= measured <= found.high


def test_kimi_on_four_80_gib_cards_is_refused_with_the_arithmetic() -> None:
    answer = ask(THINKING, gpu_memory_gib=79.18, gpus=4, tp=4, context_tokens=131_072)
    assert answer.verdict == "does-not-fit"
    assert answer.reasons[0] == (
        "weights 139.87 GiB on each of 4 GPUs, budget 72.85 GiB = 0.92 x 79.18: "
        "short by 67.02 GiB before any KV or overhead"
    )


def test_kimi_on_eight_80_gib_cards_does_not_fit_and_on_eight_h200_does() -> None:
    """0.92 x 79.18 - 70.95 = 1.9 GiB before an overhead of more than that; on H200 57.7 are left."""
    assert ask(THINKING, gpu_memory_gib=79.18, compute_capability=8.0, context_tokens=131_072).verdict == "does-not-fit"
    assert ask(THINKING, context_tokens=262_144).verdict == "fits"
    assert ask(THINKING, context_tokens=262_144, concurrent_requests=20).verdict == "does-not-fit"


def test_what_was_never_measured_is_never_said_to_fit() -> None:
    roomy = {"gpus": 16, "tp": 8, "context_tokens": 8192}
    assert ask(LLAMA8, **roomy).verdict == "fits"
    for change in ({"pp": 2}, {"cpu_offload_gib": 1.0}, {"compute_capability": 8.0, "gpu_memory_gib": 79.18}):
        answer = ask(LLAMA8, **(roomy | change))
        assert answer.verdict == "tight" and answer.unmeasured, change
        assert "no measured run" in answer.reasons[-1]


def test_host_memory_takes_weights_only() -> None:
    whole, part = ask(LLAMA70), ask(LLAMA70, cpu_offload_gib=5.0)
    assert part.weights_gib_per_gpu == pytest.approx(whole.weights_gib_per_gpu - 5.0)
    assert part.overhead_gib == whole.overhead_gib


def test_fp8_kv_of_latent_attention_is_refused_on_a100() -> None:
    answer = ask(THINKING, gpus=16, tp=16, gpu_memory_gib=79.18, kv_dtype="fp8", compute_capability=8.0)
    assert answer.verdict == "unsupported" and "8.9" in answer.reasons[0]
    assert ask(THINKING, kv_dtype="fp8", compute_capability=9.0).verdict == "fits"
    assert ask(LLAMA70, kv_dtype="fp8", compute_capability=8.0).verdict != "unsupported"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model_type": "mamba2"}, "model_type"),
        ({"index_topk": 2048}, "sparse-attention"),
        ({"linear_attn_config": {}}, "recurrent"),
        ({"sliding_window": 4096}, "sliding_window"),
        ({"layer_types": ["sliding_attention", "full_attention"]}, "layer_types"),
        ({"num_hidden_layers": "61"}, "num_hidden_layers"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, "bitsandbytes"),
        ({"torch_dtype": "float32"}, "float32"),
        ({"attention_bias": True}, "attention_bias"),
    ],
)
def test_models_it_can_not_be_right_about(change: dict[str, Any], why: str) -> None:
    answer = ask(THINKING | change)
    assert answer.verdict == "unsupported" and why in answer.reasons[0]


@pytest.mark.parametrize(
    "change",
    [
        {"tp": 16},
        {"tp": 0},
        {"tp": True},
        {"gpus": 1},
        {"gpu_memory_gib": float("nan")},
        {"gpu_memory_gib": -1.0},
        {"utilization": 1.2},
        {"context_tokens": 0},
        {"concurrent_requests": 2.5},
        {"cpu_offload_gib": -1.0},
        {"vllm": None},
        {"ep": "yes"},
        {"compute_capability": "9.0"},
        {"max_num_seqs": 0},
    ],
)
def test_bad_arguments_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedConfig):
        ask(LLAMA8, **change)


def test_splits_that_vllm_could_not_make() -> None:
    for change in (
        {"tp": 7},
        {"tp": 8, "dcp": 3},
        {"kv_dtype": "int3"},
        {"mm_encoder": "half"},
        {"pp": 99, "gpus": 999},
    ):
        assert ask(LLAMA70, **change).verdict == "unsupported", change


def test_a_context_beyond_the_model_is_refused() -> None:
    assert "262,144 positions" in ask(THINKING, context_tokens=262_145).reasons[0]


def test_importing_the_facade_brings_no_heavy_library() -> None:
    code = (
        "import sys, assumptions.formulas.memory; "
        "print(*({'numpy', 'pandas', 'pydantic', 'prefect', 'jinja2', 'yaml'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert not done.stdout.split()
