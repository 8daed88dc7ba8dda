"""What in a config.json these formulas can't be right about, each refused with the key that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assumptions.formulas.shapes import UnsupportedConfig, flag, shown

RECURRENT = ("linear_attn_config", "linear_num_key_heads", "full_attention_interval", "mamba_d_state", "ssm_cfg")
SPARSE = ("index_topk", "index_n_heads", "index_head_dim")
WINDOWED = ("sliding_window_pattern", "interleaved_sliding_window", "layer_types")


def refuse_mixed_attention(text: Mapping[str, Any]) -> None:
    """Layers that don't all keep one whole KV entry per token: recurrent, sparse, windowed, chunked."""
    chunked = text.get("model_type") in ("llama4", "llama4_text")  # rows m023, m037: whole KV in each layer
    for key in RECURRENT:
        if text.get(key) is not None:
            raise UnsupportedConfig(f"{key} marks recurrent layers, whose state is not a KV cache per token")
    for key in SPARSE:
        if text.get(key) is not None:
            raise UnsupportedConfig(f"{key} marks a sparse-attention indexer, which keeps a second cache of its own")
    window = text.get("sliding_window")
    if window is not None and text.get("use_sliding_window") is not False:
        raise UnsupportedConfig(f"sliding_window {shown(window)}: windowed layers keep less KV than a full layer")
    for key in WINDOWED:
        value = text.get(key)
        full = isinstance(value, list) and all(item == "full_attention" for item in value)
        if value is not None and not full and not chunked:
            raise UnsupportedConfig(f"{key} mixes kinds of attention, so KV is not the same in every layer")
    if text.get("attention_chunk_size") is not None and not chunked:
        raise UnsupportedConfig("attention_chunk_size: chunked layers keep less KV than a full layer")


def refuse_unknown_parts(text: Mapping[str, Any], kind: str) -> None:
    """Tensors that the family's list here does not have."""
    for key in ("mlp_bias", "attention_bias") if kind == "deepseek" else ("mlp_bias",):
        if flag(text, key):
            raise UnsupportedConfig(f"{key} is true: those bias vectors are not known here")
    if kind != "deepseek" and text.get("kv_lora_rank") is not None:
        raise UnsupportedConfig("kv_lora_rank outside the DeepSeek family: its attention tensors are not known here")


def refuse_other_number_formats(text: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Weights that are neither bfloat16 nor float16 where nothing quantises them."""
    for key in ("dtype", "torch_dtype"):
        for source in (text, config):
            if source.get(key) not in (None, "bfloat16", "float16", "auto"):
                raise UnsupportedConfig(f"{key} is {shown(source[key])}; only bfloat16 and float16 are known here")
