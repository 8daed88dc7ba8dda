"""The tiny model's shape and its weights in float32.

Architecture and field names: DeepSeek-V3 as Kimi K2 uses it (MLA, one dense layer, sigmoid-routed
experts with a shared one, YaRN to 262,144 positions).  Numbers come from a counter-based generator's raw
integers, not from a library's distributions, so that they are the same on every machine.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearsal.vocabulary import BOS, IM_END, follows, tokens

Array = NDArray[np.float32]

HIDDEN, LAYERS, EXPERTS, EXPERTS_PER_TOKEN = 256, 2, 4, 2
DENSE, EXPERT, HEADS, Q_RANK, KV_RANK, NOPE, ROPE, VALUE = 128, 64, 1, 32, 512, 32, 64, 32
CONFIG: dict[str, Any] = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "first_k_dense_replace": 1,
    "moe_layer_freq": 1,
    "n_routed_experts": EXPERTS,
    "num_experts_per_tok": EXPERTS_PER_TOKEN,
    "n_shared_experts": 1,
    "moe_intermediate_size": EXPERT,
    "intermediate_size": DENSE,
    "num_attention_heads": HEADS,
    "num_key_value_heads": HEADS,
    "q_lora_rank": Q_RANK,
    "kv_lora_rank": KV_RANK,
    "qk_nope_head_dim": NOPE,
    "qk_rope_head_dim": ROPE,
    "v_head_dim": VALUE,
    "scoring_func": "sigmoid",
    "topk_method": "noaux_tc",
    "n_group": 1,
    "topk_group": 1,
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.827,
    "max_position_embeddings": 262144,
    "rope_theta": 50000.0,
    "rope_scaling": {
        "type": "yarn",
        "factor": 64.0,
        "original_max_position_embeddings": 4096,
        "beta_fast": 32.0,
        "beta_slow": 1.0,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
    },
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "attention_bias": False,
    "num_nextn_predict_layers": 0,
    "torch_dtype": "bfloat16",
    "vocab_size": len(tokens()),
    "bos_token_id": tokens().index(BOS),
    "eos_token_id": tokens().index(IM_END),
    "pad_token_id": tokens().index("[PAD]"),
}


def _noise(name: str, shape: tuple[int, ...], scale: float) -> Array:
    """Uniform numbers in ±scale, decided by `name` alone."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")
    raw = np.random.Philox(key=key).random_raw(int(np.prod(shape)))
    unit = (np.asarray(raw, dtype=np.uint64) >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - 1
    return (unit * np.float32(scale)).reshape(shape)


def tensors() -> dict[str, Array]:
    """Every weight in float32, under its Hugging Face name."""
    out: dict[str, Array] = {}

    def small(name: str, *shape: int) -> None:
        out[name] = _noise(name, shape, 0.02)

    def ones(name: str, size: int) -> None:
        out[name] = np.ones(size, dtype=np.float32)

    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        for norm, size in (("input_layernorm", HIDDEN), ("post_attention_layernorm", HIDDEN)):
            ones(f"{at}{norm}.weight", size)
        attention = at + "self_attn."
        small(attention + "q_a_proj.weight", Q_RANK, HIDDEN)
        ones(attention + "q_a_layernorm.weight", Q_RANK)
        small(attention + "q_b_proj.weight", HEADS * (NOPE + ROPE), Q_RANK)
        small(attention + "kv_a_proj_with_mqa.weight", KV_RANK + ROPE, HIDDEN)
        ones(attention + "kv_a_layernorm.weight", KV_RANK)
        small(attention + "kv_b_proj.weight", HEADS * (NOPE + VALUE), KV_RANK)
        small(attention + "o_proj.weight", HIDDEN, HEADS * VALUE)
        for block, width in _mlp_blocks(layer):
            for part, shape in (("gate", (width, HIDDEN)), ("up", (width, HIDDEN)), ("down", (HIDDEN, width))):
                small(f"{at}mlp.{block}{part}_proj.weight", *shape)
        if layer:
            small(at + "mlp.gate.weight", EXPERTS, HIDDEN)
            small(at + "mlp.gate.e_score_correction_bias", EXPERTS)
    ones("model.norm.weight", HIDDEN)
    out["model.embed_tokens.weight"], out["lm_head.weight"] = _bigram_table()
    return out


def _mlp_blocks(layer: int) -> list[tuple[str, int]]:
    """Name prefix and width of each feed-forward block in one layer."""
    if layer == 0:
        return [("", DENSE)]
    return [("shared_experts.", EXPERT), *((f"experts.{n}.", EXPERT) for n in range(EXPERTS))]


def _bigram_table() -> tuple[Array, Array]:
    """Embeddings, and the head that answers each one with its successor."""
    names = tokens()
    embed = _noise("embedding", (len(names), HIDDEN), 1.0)
    embed /= np.linalg.norm(embed, axis=1, keepdims=True)
    head = np.zeros_like(embed)
    ids = {name: n for n, name in enumerate(names)}
    chosen = follows()
    for name in names:
        for rank, after in enumerate(chosen.get(name, ())):
            head[ids[after]] += embed[ids[name]] * np.float32(2.5 * 0.8**rank)
    return embed * np.float32(HIDDEN**0.5), head  # unit rms: the layers' own output stays a whisper
