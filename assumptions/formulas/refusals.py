"""What in a config.json these formulas can't be right about, each refused with the key that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assumptions.formulas.attention import INDEXED_TYPES, WINDOWED_KINDS
from assumptions.formulas.shapes import UnsupportedConfig, flag, shown

STATE = "recurrent layers, whose state is not a KV cache per token"
COMPRESSED = "layers that keep a compressed cache, whose size is not known here"
OTHER_LAYERS = "layers that differ from one another in ways that are not known here"
MARKS = {
    "linear_attn_config": STATE,
    "linear_num_key_heads": STATE,
    "full_attention_interval": STATE,
    "mamba_d_state": STATE,
    "mamba_num_heads": STATE,
    "ssm_cfg": STATE,
    "compress_ratios": COMPRESSED,
    "sparse_attention_config": "a sparse attention whose index cache is not known here",
    "hybrid_layer_pattern": OTHER_LAYERS,
    "block_configs": OTHER_LAYERS,
}
PLAIN_LAYERS = ("full_attention", "deepseek_sparse_attention")  # the second: as index_topk says, in each layer
SPARSE = ("index_topk", "index_n_heads", "index_head_dim")
WINDOWED = ("sliding_window_pattern", "interleaved_sliding_window", "layer_types")


def refuse_mixed_attention(text: Mapping[str, Any], kind: str) -> None:
    """Layers that don't all keep one whole KV entry per token, unless their pattern is known for this `kind`."""
    for key, what in MARKS.items():
        if text.get(key) is not None:
            raise UnsupportedConfig(f"{key} marks {what}")
    for key in SPARSE:
        if text.get(key) is not None and text.get("model_type") not in INDEXED_TYPES:
            raise UnsupportedConfig(f"{key} marks a sparse-attention indexer, which keeps a second cache of its own")
    if kind not in WINDOWED_KINDS:
        # Llama 4 is chunked and keeps whole KV in each layer all the same: rows m023, m037.
        _refuse_windows(text, chunked=text.get("model_type") in ("llama4", "llama4_text"))


def _refuse_windows(text: Mapping[str, Any], *, chunked: bool) -> None:
    window = text.get("sliding_window")
    if window is not None and text.get("use_sliding_window") is not False:
        raise UnsupportedConfig(f"sliding_window {shown(window)}: windowed layers keep less KV than a full layer")
    for key in WINDOWED:
        value = text.get(key)
        full = isinstance(value, list) and all(item in PLAIN_LAYERS for item in value)
        if value is not None and not full and not chunked:
            raise UnsupportedConfig(f"{key} mixes kinds of attention, so KV is not the same in every layer")
    if text.get("attention_chunk_size") is not None and not chunked:
        raise UnsupportedConfig("attention_chunk_size: chunked layers keep less KV than a full layer")


def refuse_unknown_parts(text: Mapping[str, Any], kind: str) -> None:
    """Tensors that the family's list here does not have."""
    for key in ("mlp_bias", "attention_bias") if kind in ("deepseek", "minimax") else ("mlp_bias",):
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
