"""What a model's own config.json says about its shape, or a refusal where that is not enough to be right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from assumptions.formulas.attention import Indexer, Windowed, indexer, windowed
from assumptions.formulas.experts import Moe, moe
from assumptions.formulas.refusals import refuse_mixed_attention, refuse_other_number_formats, refuse_unknown_parts
from assumptions.formulas.shapes import UnsupportedConfig, block, copied, flag, name_of, shown, whole
from assumptions.formulas.vision import vision_output_bytes, vision_params

KNOWN = {
    "deepseek_v2": "deepseek",
    "deepseek_v3": "deepseek",
    "deepseek_v32": "deepseek",
    "glm_moe_dsa": "deepseek",
    "kimi_k2": "deepseek",
    "llama": "llama",
    "mistral": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "qwen3_moe": "qwen3",
    "qwen3_vl_text": "qwen3",
    "qwen3_vl_moe_text": "qwen3",
    "glm4_moe": "glm4_moe",
    "minimax_m2": "minimax",
    "gpt_oss": "gpt_oss",
    "mixtral": "mixtral",
    "llama4": "llama4",
    "llama4_text": "llama4",
}
DRAFTED = ("deepseek", "glm4_moe")  # their checkpoints hold multi-token-prediction layers behind the last one
MOST_LAYERS = 1000


class Mla(NamedTuple):
    """Multi-head latent attention: one cached latent of `kv_rank + rope` numbers per token and layer."""

    q_rank: int | None
    kv_rank: int
    nope: int
    rope: int
    value: int


@dataclass(frozen=True, slots=True)
class Architecture:
    """The shape of one decoder, in its own units: layers, heads, widths.  Raised as UnsupportedConfig when unsure."""

    kind: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    dense_width: int
    vocab: int
    positions: int
    tied: bool
    qkv_bias: bool
    output_bias: bool
    head_norms: bool
    draft_layers: int
    mla: Mla | None
    moe: Moe | None
    vision_params: int | None  # None: there is a tower and its size is not known here
    quantization: Mapping[str, Any] | None = field(hash=False)  # a copy of its own
    name: str  # model_type, for sentences
    windowed: Windowed | None = None  # layers that keep a window of tokens
    indexer: Indexer | None = None  # sparse attention's second, small cache
    vision_output_bytes: int = 0  # of the largest image, where the tower is of a kind whose limit is known


def read(config: Mapping[str, Any]) -> Architecture:
    """The architecture that `config` (a parsed config.json) declares; a multimodal model's text_config is followed."""
    if not isinstance(config, Mapping):
        raise UnsupportedConfig("the configuration is not an object; pass a parsed config.json")
    text = block(config, "text_config") or config
    refuse_mixed_attention(text, KNOWN.get(str(text.get("model_type")), ""))  # first: says more than an unknown name
    kind = _kind(text)
    refuse_unknown_parts(text, kind)
    refuse_other_number_formats(text, config)
    layers = whole(text, "num_hidden_layers")
    if layers > MOST_LAYERS:
        raise UnsupportedConfig(f"num_hidden_layers is {layers}; no known model has more than {MOST_LAYERS}")
    drafts = whole(text, "num_nextn_predict_layers", 0, least=0) if kind in DRAFTED else 0
    if drafts > layers:
        raise UnsupportedConfig(f"num_nextn_predict_layers is {drafts}, more than the {layers} layers of the model")
    hidden, heads = whole(text, "hidden_size"), whole(text, "num_attention_heads")
    kv_heads = whole(text, "num_key_value_heads", heads)
    if heads % kv_heads:
        raise UnsupportedConfig(f"{heads} attention heads can't share {kv_heads} key/value heads evenly")
    bias = flag(text, "attention_bias", kind in ("qwen2", "gpt_oss"))
    return Architecture(
        kind=kind,
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=whole(text, "head_dim", max(1, hidden // heads)),
        dense_width=_dense_width(text, kind),
        vocab=whole(text, "vocab_size"),
        positions=whole(text, "max_position_embeddings"),
        tied=flag(text, "tie_word_embeddings", flag(config, "tie_word_embeddings")),
        qkv_bias=bias,
        output_bias=bias and kind in ("llama", "qwen3", "gpt_oss"),
        head_norms=kind == "qwen3" or (kind == "glm4_moe" and flag(text, "use_qk_norm")),
        draft_layers=drafts,
        mla=_mla(text) if kind == "deepseek" else None,
        moe=moe(text, kind, layers),
        vision_params=vision_params(block(config, "vision_config"), hidden),
        quantization=copied(block(text, "quantization_config") or block(config, "quantization_config")),
        name=name_of(text, "model_type")[:60],
        windowed=windowed(text, kind, layers),
        indexer=indexer(text, layers) if kind == "deepseek" else None,
        vision_output_bytes=vision_output_bytes(block(config, "vision_config"), hidden),
    )


def _kind(text: Mapping[str, Any]) -> str:
    name = text.get("model_type")
    if not isinstance(name, str) or name not in KNOWN:
        raise UnsupportedConfig(
            f"model_type {shown(name)} is not one whose tensors and KV cache are known here ({', '.join(KNOWN)})"
        )
    return KNOWN[name]


def _dense_width(text: Mapping[str, Any], kind: str) -> int:
    return whole(text, "intermediate_size_mlp" if kind == "llama4" else "intermediate_size")


def _mla(text: Mapping[str, Any]) -> Mla:
    return Mla(
        q_rank=None if text.get("q_lora_rank") is None else whole(text, "q_lora_rank"),
        kv_rank=whole(text, "kv_lora_rank"),
        nope=whole(text, "qk_nope_head_dim"),
        rope=whole(text, "qk_rope_head_dim"),
        value=whole(text, "v_head_dim"),
    )
