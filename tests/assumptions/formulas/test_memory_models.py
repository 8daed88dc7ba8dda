"""More kinds of model: parameters beside what their makers publish, and the caches that are not one entry per token.

The configurations are the models' own; the inline ones give the fields that the arithmetic reads.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assumptions.formulas.architecture import read
from assumptions.formulas.cache_format import cache_format
from assumptions.formulas.kv import Cache, cache_of
from assumptions.formulas.memory import (
    Fit,
    UnsupportedConfig,
    checkpoint_bytes,
    fit,
    kv_bytes_per_token_per_rank,
    stored_in,
    weights_gib_per_gpu,
)
from assumptions.formulas.padding import MARLIN, PLAIN, expert_growth, loaded_expert_bytes
from assumptions.formulas.quantization import quantization
from assumptions.formulas.tensors import Tensor, draft_tensors, params

CONFIGS = Path(__file__).parent / "data" / "configs"
GIB = 2**30


def config(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CONFIGS / f"{name}_config.json").read_text())
    return loaded


OSS = config("openai--gpt-oss-120b")
V32 = config("deepseek-ai--DeepSeek-V3.2")
GLM5, GLM53 = config("zai-org--GLM-5"), config("zai-org--GLM-5.3")
VL30 = config("Qwen--Qwen3-VL-30B-A3B-Instruct")
M2 = config("MiniMaxAI--MiniMax-M2.5")
AIR = {
    "model_type": "glm4_moe",
    "hidden_size": 4096,
    "num_hidden_layers": 46,
    "num_attention_heads": 96,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 10_944,
    "moe_intermediate_size": 1408,
    "n_routed_experts": 128,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "first_k_dense_replace": 1,
    "vocab_size": 151_552,
    "max_position_embeddings": 131_072,
    "attention_bias": True,
    "use_qk_norm": False,
    "num_nextn_predict_layers": 1,
}
GLM47 = AIR | {
    "hidden_size": 5120,
    "num_hidden_layers": 92,
    "intermediate_size": 12_288,
    "moe_intermediate_size": 1536,
    "n_routed_experts": 160,
    "first_k_dense_replace": 3,
    "use_qk_norm": True,
    "max_position_embeddings": 202_752,
}
MISTRAL = {
    "model_type": "mistral3",
    "text_config": {
        "model_type": "mistral",
        "hidden_size": 5120,
        "intermediate_size": 32_768,
        "num_hidden_layers": 40,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 131_072,
        "max_position_embeddings": 131_072,
        "sliding_window": None,
    },
    "vision_config": {
        "model_type": "pixtral",
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "patch_size": 14,
    },
}


def ask(model: dict[str, Any], **change: Any) -> Fit:
    arguments: dict[str, Any] = {
        "gpu_memory_gib": 139.8,
        "gpus": 8,
        "tp": 8,
        "context_tokens": 8192,
        "vllm": "0.19.0",
        "compute_capability": 9.0,
    }
    return fit(model, **(arguments | change))


@pytest.mark.parametrize(
    ("model", "billions"),
    [
        (OSS, 116.83),  # model card, arXiv 2508.10925 table 1
        (config("openai--gpt-oss-20b"), 20.91),  # the same
        (GLM5, 744.0),  # zai-org/GLM-5 README
        (VL30, 31.07),  # hub, safetensors of the bf16 checkpoint
        (M2, 228.7),  # hub, safetensors
        (config("Qwen--Qwen3-235B-A22B-FP8"), 235.09),  # hub, safetensors
        (config("meta-llama--Meta-Llama-3.1-70B"), 70.55),  # hub, safetensors
        (MISTRAL, 24.01),  # hub, safetensors
    ],
    ids=lambda each: each.get("model_type") if isinstance(each, dict) else str(each),
)
def test_parameters_are_those_published(model: dict[str, Any], billions: float) -> None:
    assert sum(params(read(model)).values()) / 1e9 == pytest.approx(billions, rel=0.001)


@pytest.mark.parametrize(("model", "billions"), [(AIR, 110.47), (GLM47, 358.34)])
def test_glm_4_with_its_prediction_layer(model: dict[str, Any], billions: float) -> None:
    """The hub counts 110 B for GLM-4.5-Air and 358 B for GLM-4.5, prediction layer included."""
    arch = read(model)
    total = sum(params(arch).values()) + sum(tensor.params for tensor in draft_tensors(arch))
    assert total / 1e9 == pytest.approx(billions, rel=0.0001)


def test_checkpoints_of_gpt_oss() -> None:
    """60.8 and 12.8 GiB in the model card: experts in MXFP4, everything else in bf16."""
    assert checkpoint_bytes(read(OSS)) / GIB == pytest.approx(60.8, abs=0.05)
    assert checkpoint_bytes(read(config("openai--gpt-oss-20b"))) / GIB == pytest.approx(12.8, abs=0.05)


def test_mistral_small_beside_its_log() -> None:
    """Row m289: 44.76 GiB loaded, 28.2 GiB for 184,832 tokens on one H100, vLLM 0.11.0."""
    change = {"gpu_memory_gib": 79.18, "gpus": 1, "tp": 1, "utilization": 0.95, "context_tokens": 16_000}
    found = ask(MISTRAL, vllm="0.11.0", mm_encoder="weights", **change)
    assert found.weights_gib_per_gpu == pytest.approx(44.76, rel=0.002)
    assert found.kv_gib_per_gpu and found.kv_gib_per_gpu.low <= 28.2 <= found.kv_gib_per_gpu.high
    assert found.kv_bytes_per_token_per_rank == pytest.approx(28.2 * GIB / 184_832, rel=0.001)


def test_glm_4_caches_what_its_log_says() -> None:
    """Row m301: 28.57 GiB were said to hold 81,392 tokens of all 92 layers: 376,832 bytes each."""
    assert kv_bytes_per_token_per_rank(read(GLM47), tp=1) == 376_832


# --- sparse attention


def test_the_indexer_of_deepseek_v32_is_whole_on_each_rank() -> None:
    """61 layers x (8192 x 1536 + 128 x 7168 + 64 x 7168 + 256) = 851,524,864 numbers more than V3."""
    found = params(read(V32))
    assert found["indexer"] == 61 * (64 * 128 * 1536 + 128 * 7168 + 64 * 7168 + 2 * 128)
    assert sum(found.values()) - found["indexer"] == 671_026_419_200
    without = {key: value for key, value in V32.items() if not key.startswith("index_")}
    more = [weights_gib_per_gpu(read(V32), tp=tp) - weights_gib_per_gpu(read(without), tp=tp) for tp in (1, 8)]
    assert more[0] == pytest.approx(more[1], rel=1e-6)


@pytest.mark.parametrize(
    ("kv_dtype", "vllm", "capability", "each"),
    [
        ("auto", "0.19.0", 9.0, 1152),
        ("auto", "0.11.0", 9.0, 656),  # vllm#25988
        ("bfloat16", "0.11.0", 9.0, 1152),
        ("fp8", "0.19.0", 9.0, 656),
        ("fp8_ds_mla", "0.19.0", 9.0, 656),
        ("fp8", "0.33.0", 10.0, 576),
        ("auto", "0.33.0", 12.0, 656),
    ],
)
def test_a_sparse_layer_keeps_its_latent_and_an_index_key(
    kv_dtype: str, vllm: str, capability: float, each: int
) -> None:
    """The key: 128 FP8 numbers and a float32 scale, 132 bytes, whatever the latent is kept in."""
    found = ask(V32, kv_dtype=kv_dtype, vllm=vllm, compute_capability=capability)
    assert found.kv_bytes_per_token_per_rank == 61 * (each + 132)


def test_glm_51_with_its_draft_layer_beside_a_log() -> None:
    """Row m273: 19.12 GiB for 329,792 tokens on RTX PRO 6000, 78 layers and one that predicts: 788 bytes each."""
    alone = kv_bytes_per_token_per_rank(read(GLM5), tp=8, kv_dtype="fp8")
    assert alone == 78 * 788
    assert alone * 79 / 78 == pytest.approx(19.12 * GIB / 329_792, rel=0.001)


def test_glm_53_shares_most_indexers() -> None:
    """21 of 78 layers choose for themselves; row m309 logged 47,700 bytes = 78 x 576 + 21 x 132 (plain FP8)."""
    arch = read(GLM53)
    assert arch.indexer and len(arch.indexer.layers) == 21
    without_list = {key: value for key, value in GLM53.items() if key != "indexer_types"}
    assert read(without_list).indexer == arch.indexer  # index_topk_freq and its offset say the same
    assert ask(GLM53, kv_dtype="fp8", compute_capability=10.0).kv_bytes_per_token_per_rank == 47_700


def test_glm_on_b200_keeps_fp8_unless_told_otherwise() -> None:
    assert cache_format(read(GLM5), "auto", vllm="0.33.0", compute_capability=10.0) == "fp8"
    assert cache_format(read(GLM5), "auto", vllm="0.33.0", compute_capability=9.0) == "bf16"


def test_sparse_attention_is_refused_where_no_kernel_is() -> None:
    found = ask(V32, gpu_memory_gib=79.18, gpus=16, tp=16, compute_capability=8.0)
    assert found.verdict == "unsupported" and "index_topk" in found.reasons[0]


def test_sparse_workspaces_grow_with_the_context() -> None:
    short, long = (ask(V32, context_tokens=tokens).overhead_gib for tokens in (8192, 163_840))
    assert short and long and long.high - short.high == pytest.approx(155_648 * 5760 / GIB, abs=0.01)
    assert long.low == short.low


# --- windows


def test_windowed_layers_keep_a_window_only() -> None:
    """18 layers see everything, 18 the last 127 + batch + a block: 2 x 8 heads x 64 x 2 bytes = 2,048 each."""
    cache = cache_of(read(OSS), range(36), tp=1, batched_tokens=8192)
    assert cache == Cache(18 * 2048, 18 * 2048, 127 + 8192 + 16)
    assert cache.request_bytes(1000) == 36 * 2048 * 1000
    assert cache.request_bytes(131_072) == 18 * 2048 * (131_072 + 8335)
    for tokens in (100, 8335, 8336, 131_072):
        room = cache.request_bytes(tokens)
        assert cache.longest(room) == tokens and cache.longest(room - 1) == tokens - 1
    assert cache.longest(-1.0) == 0


@pytest.mark.parametrize(("vllm", "each"), [("0.19.0", 36 * 2048), ("0.20.0", -(-18 * 2048 * 139_407 // 131_072))])
def test_tokens_are_counted_as_the_version_logs_them(vllm: str, each: int) -> None:
    """Up to 0.19 blocks over groups of layers; from 0.20 requests of max_model_len (vllm#51041)."""
    found = ask(OSS, gpus=1, tp=1, context_tokens=131_072, vllm=vllm)
    assert found.kv_bytes_per_token_per_rank == each


def test_the_verdict_counts_what_requests_take_not_what_the_log_says() -> None:
    """40 GiB hold 583,000 logged tokens in every layer, yet 8 requests of 131,072 (1,048,576 tokens)."""
    roomy = {"gpus": 1, "tp": 1, "context_tokens": 131_072, "gpu_memory_gib": 139.8, "utilization": 0.76}
    found = ask(OSS, concurrent_requests=8, overhead_gib=4.0, **roomy)
    assert found.kv_tokens and found.kv_tokens.high < 8 * 131_072
    assert found.verdict == "fits" and found.concurrent_requests and found.concurrent_requests.low >= 8
    assert ask(OSS, concurrent_requests=9, overhead_gib=4.0, **roomy).verdict == "does-not-fit"


def test_windows_are_not_shared_between_ranks() -> None:
    with pytest.raises(UnsupportedConfig, match="windowed"):
        cache_of(read(OSS | {"num_key_value_heads": 4}), range(36), tp=8, dcp=2)
    found = ask(OSS | {"num_key_value_heads": 4}, dcp=2)
    assert found.verdict == "unsupported" and "windowed" in found.reasons[0]


def test_layers_that_do_not_alternate_are_refused() -> None:
    found = ask(OSS | {"layer_types": ["full_attention"] * 36})
    assert found.verdict == "unsupported" and "layer_types" in found.reasons[0]


# --- gpt-oss on a GPU


def test_experts_are_padded_for_their_kernel() -> None:
    """120b on one rank: Marlin rounds 2880 to 2944 x 3072, H100's kernel takes 2880 as it is, biases in fp32."""
    exact = 3 * 2880 * 2880 * 17 // 32
    assert loaded_expert_bytes(2880, 2880, PLAIN) == exact + 4 * 3 * 2880
    assert loaded_expert_bytes(2880, 2880, MARLIN) == 3 * 2944 * 3072 * 17 // 32 + 2 * (2 * 2944 + 3072)


def test_a_gpu_holds_more_of_gpt_oss_than_the_file_does() -> None:
    alone = weights_gib_per_gpu(read(OSS), tp=1)
    held = {(v, c): ask(OSS, gpus=1, tp=1, vllm=v, compute_capability=c).weights_gib_per_gpu for v, c in CASES}
    assert all(size and alone < size < 1.14 * alone for size in held.values())
    assert held["0.19.0", 9.0] < held["0.19.0", 8.0] < held["0.19.0", 10.0]  # type: ignore[operator]
    assert ask(V32).weights_gib_per_gpu == weights_gib_per_gpu(read(V32), tp=8)


CASES = [("0.11.0", 9.0), ("0.11.2", 9.0), ("0.19.0", 9.0), ("0.33.0", 9.0), ("0.19.0", 8.0), ("0.19.0", 10.0)]


def test_narrow_shards_cost_more() -> None:
    """720 columns a rank become 768 on H100 (TP 4); whole experts (EP) lose nothing to that."""
    growth = [
        expert_growth(read(OSS), ranks=4, ep=ep, weight_quant=None, vllm="0.11.0", compute_capability=9.0)
        for ep in (False, True)
    ]
    assert growth[0] == pytest.approx(768 / 720, abs=0.005) and growth[1] == pytest.approx(1, abs=0.002)


# --- what a name alone says


@pytest.mark.parametrize(
    ("name", "override", "left", "packed"),
    [
        ("deepseek_v3", "modelopt NVFP4", "self_attn.q_b_proj", "self_attn.o_proj"),
        ("glm_moe_dsa", "nvfp4", "self_attn.o_proj", "mlp.shared_experts.up_proj"),
        ("minimax_m2", "nvfp4", "self_attn.q_proj", "block_sparse_moe.experts.0.up_proj"),
        ("qwen3_moe", "nvfp4", None, "self_attn.q_proj"),
        ("llama4_text", "fp8-dynamic", "self_attn.q_proj", "feed_forward.experts.0.up_proj"),
    ],
)
def test_published_exclude_lists_stand_in(name: str, override: str, left: str | None, packed: str) -> None:
    stored = quantization(None, override, name)
    assert stored.bytes_of(matrix(f"model.layers.5.{packed}")) < 2 * 1024 * 1024
    for each in ("lm_head", *([f"model.layers.5.{left}"] if left else [])):
        assert stored.bytes_of(matrix(each)) == 2 * 1024 * 1024


def matrix(name: str) -> Tensor:
    return Tensor("x", name, 1024, 1024, linear=True)


def test_what_is_assumed_is_said() -> None:
    said = " ".join(ask(GLM5, weight_quant="nvfp4").sources)
    assert "self_attn" in said and "assumed" in said
    assert "assumed" not in " ".join(ask(GLM5).sources)


def test_several_formats_in_one_name_are_refused() -> None:
    with pytest.raises(UnsupportedConfig, match="several"):
        quantization(None, "NVFP4+FP8 mixed")


def test_a_declared_fp8_cache_is_followed_from_the_release_that_was_read() -> None:
    told = {"quant_method": "modelopt", "quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}
    model = config("deepseek-ai--DeepSeek-V3") | {"quantization_config": told}
    assert ask(model, vllm="0.19.0").kv_bytes_per_token_per_rank == 61 * 576
    assert "kv_cache_quant_algo" in ask(model, vllm="0.14.0").reasons[0]
    assert ask(model, vllm="0.14.0", kv_dtype="bf16").kv_bytes_per_token_per_rank == 61 * 1152


@pytest.mark.parametrize(
    "key",
    ["compress_ratios", "sparse_attention_config", "hybrid_layer_pattern", "block_configs", "mamba_num_heads"],
)
def test_what_is_not_known_is_refused_by_its_key(key: str) -> None:
    found = ask(config("deepseek-ai--DeepSeek-V3") | {key: [1, 2]})
    assert found.verdict == "unsupported" and key in found.reasons[0]


def test_a_tower_is_run_before_the_cache_is_sized() -> None:
    """Qwen3-VL's largest image: 16,384 tokens x (1 + 3 deep-stack) x 2048 x 2 bytes are held: 0.25 GiB."""
    with_tower, alone = (ask(VL30, mm_encoder=mode).overhead_gib for mode in ("weights", "none"))
    assert with_tower and alone and with_tower.mid - alone.mid == pytest.approx(0.25)
    assert with_tower.low == alone.low and with_tower.high > alone.high + 1


def test_more_prediction_layers_than_layers_are_refused() -> None:
    """A number of 10**9 would else be listed tensor by tensor."""
    assert "num_nextn_predict_layers" in ask(V32 | {"num_nextn_predict_layers": 10**9}).reasons[0]


def test_headers_put_the_indexer_whole_on_each_rank() -> None:
    """Read by name pattern, an indexer's matrix is split as config.json's arithmetic splits it."""
    arch = read(V32 | {"num_hidden_layers": 1, "num_nextn_predict_layers": 0})
    name = "model.layers.0.self_attn.indexer."
    found = stored_in({f"{name}wq_b.weight": 100, f"{name}weights_proj.weight": 20, f"{name}k_norm.bias": 3}, arch)
    assert {lot.split for lot in found.layers[0]} == {"whole"} and found.text_bytes == 123


@pytest.mark.parametrize("model", [OSS, V32])
def test_a_kind_of_attention_that_no_row_shows_is_never_said_to_fit(model: dict[str, Any]) -> None:
    found = ask(model)
    assert found.verdict == "tight" and found.unmeasured and "no measured run has" in found.reasons[-1]
    assert ask(model, overhead_gib=8.0).verdict == "fits"


def test_layers_that_are_all_sparse_are_all_alike() -> None:
    assert ask(GLM5 | {"layer_types": ["deepseek_sparse_attention"] * 78}).verdict == ask(GLM5).verdict
