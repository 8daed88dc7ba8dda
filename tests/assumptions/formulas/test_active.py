"""What one token touches: the routed experts by their share, all of a dense model; and what no server can pass."""

import pytest

from assumptions.formulas.active import active_bytes, active_params
from assumptions.formulas.ceiling import arithmetic_tokens_per_second, bandwidth_tokens_per_second
from assumptions.formulas.memory import UnsupportedConfig, checkpoint_bytes, read
from inventories.figures import model

KIMI = read(model("kimi-k2-thinking").read_config())
DENSE = read(
    {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "max_position_embeddings": 8192,
        "torch_dtype": "bfloat16",
    }
)


def test_kimi_k2_computes_a_token_with_31_69_billion_parameters() -> None:
    routed, rest, embedding = 1_014_686_023_680, 11_722_208_768, 163_840 * 7_168
    assert active_params(KIMI) == routed * 8 / 384 + rest - embedding
    assert active_params(read(model("kimi-k2.5").read_config())) == active_params(KIMI)  # vision is not a token's


def test_kimi_k2_reads_4_5_bits_for_a_routed_weight_and_16_for_the_rest() -> None:
    routed = 1_014_686_023_680 * 8 / 384
    assert active_bytes(KIMI) == pytest.approx(routed * 4.5 / 8 + (11_722_185_728 - 163_840 * 7_168) * 2, rel=1e-4)


def test_a_dense_model_is_active_but_for_its_embedding() -> None:
    embedding = 128_256 * 4_096
    assert active_bytes(DENSE) == checkpoint_bytes(DENSE) - 2 * embedding
    assert active_params(DENSE) == (checkpoint_bytes(DENSE) - 2 * embedding) / 2


def test_ceilings() -> None:
    assert arithmetic_tokens_per_second(8 * 624e12, 70e9) == pytest.approx(35_657, abs=1)
    assert bandwidth_tokens_per_second(819e9, 33e9) == pytest.approx(24.8, abs=0.1)
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(UnsupportedConfig):
            arithmetic_tokens_per_second(1e15, wrong)
        with pytest.raises(UnsupportedConfig):
            bandwidth_tokens_per_second(1e12, wrong)
