"""Layers that don't keep one plain KV entry per token: those that see a window, and those that index what they read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from assumptions.formulas.shapes import UnsupportedConfig, shown, whole

WINDOWED_KINDS = ("gpt_oss",)  # vLLM 0.19 gpt_oss.py: layers 0, 2, 4 and so on see a window
INDEXED_TYPES = ("deepseek_v32", "glm_moe_dsa")


class Windowed(NamedTuple):
    """Layers that keep the last `tokens` of each request."""

    layers: frozenset[int]
    tokens: int


class Indexer(NamedTuple):
    """DeepSeek Sparse Attention: heads that choose what a query reads; each layer in `layers` has a key cache too."""

    layers: frozenset[int]
    heads: int
    head_dim: int


def windowed(text: Mapping[str, Any], kind: str, layers: int) -> Windowed | None:
    """The windowed layers of a family whose pattern is known; None where every layer keeps every token."""
    if kind not in WINDOWED_KINDS:
        return None
    even = frozenset(range(0, layers, 2))
    told = text.get("layer_types")
    wanted = ["sliding_attention" if layer in even else "full_attention" for layer in range(layers)]
    if told is not None and told != wanted:
        raise UnsupportedConfig("layer_types does not alternate sliding_attention and full_attention, as vLLM takes it")
    return Windowed(even, whole(text, "sliding_window"))


def indexer(text: Mapping[str, Any], layers: int) -> Indexer | None:
    """The indexer that `text` declares: in every layer, or in those that `indexer_types` or `index_topk_freq` name."""
    if text.get("index_topk") is None:
        return None
    for key in ("index_topk_pattern", "index_kv_compress_ratio"):
        if text.get(key) is not None:
            raise UnsupportedConfig(f"{key} is {shown(text[key])}: which layers share an indexer is not known here")
    heads, head_dim = whole(text, "index_n_heads"), whole(text, "index_head_dim")
    return Indexer(_with_an_indexer(text, layers), heads, head_dim)


def _with_an_indexer(text: Mapping[str, Any], layers: int) -> frozenset[int]:
    """Layers that choose for themselves; the others read what the one before them chose."""
    kinds = text.get("indexer_types")
    if kinds is None:
        every, offset = whole(text, "index_topk_freq", 1), whole(text, "index_skip_topk_offset", 0, least=0)
        return frozenset(layer for layer in range(layers) if max(layer - offset + 1, 0) % every == 0)
    if not isinstance(kinds, list | tuple) or len(kinds) < layers or not all(k in ("full", "shared") for k in kinds):
        raise UnsupportedConfig("indexer_types is not a list of full and shared, one for each layer")
    return frozenset(layer for layer in range(layers) if kinds[layer] == "full")
