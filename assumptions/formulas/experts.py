"""Mixture-of-experts layers: which layers hold experts, how many, how wide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from assumptions.formulas.shapes import UnsupportedConfig, whole


class Moe(NamedTuple):
    """Routed and shared experts, and which layers hold them."""

    layers: frozenset[int]
    experts: int
    per_token: int
    width: int
    shared_width: int
    router_bias: bool


def moe(text: Mapping[str, Any], kind: str, layers: int) -> Moe | None:
    """The experts that `text` declares for a model of this `kind`; None when every layer is dense."""
    readers = {"deepseek": _deepseek_moe, "qwen3": _qwen_moe, "mixtral": _mixtral_moe, "llama4": _llama4_moe}
    reader = readers.get(kind)
    found = reader(text, layers) if reader else None
    if found is None and any(text.get(key) is not None for key in ("n_routed_experts", "num_experts")):
        raise UnsupportedConfig(f"experts in a {kind} model: which layers hold them is not known here")
    return found if found is None or found.layers else None


def _deepseek_moe(text: Mapping[str, Any], layers: int) -> Moe | None:
    if text.get("n_routed_experts") is None:
        return None
    first, every = whole(text, "first_k_dense_replace", 0, least=0), whole(text, "moe_layer_freq", 1)
    width = whole(text, "moe_intermediate_size")
    return Moe(
        layers=frozenset(i for i in range(first, layers) if i % every == 0),
        experts=whole(text, "n_routed_experts"),
        per_token=whole(text, "num_experts_per_tok"),
        width=width,
        shared_width=width * whole(text, "n_shared_experts", 0, least=0),
        router_bias=text.get("topk_method") == "noaux_tc",
    )


def _qwen_moe(text: Mapping[str, Any], layers: int) -> Moe | None:
    if text.get("num_experts") is None:
        return None
    step, only_dense = whole(text, "decoder_sparse_step", 1), text.get("mlp_only_layers") or ()
    if not isinstance(only_dense, list | tuple):
        raise UnsupportedConfig("mlp_only_layers is not a list of layer numbers")
    return Moe(
        layers=frozenset(i for i in range(layers) if (i + 1) % step == 0 and i not in only_dense),
        experts=whole(text, "num_experts"),
        per_token=whole(text, "num_experts_per_tok"),
        width=whole(text, "moe_intermediate_size"),
        shared_width=0,
        router_bias=False,
    )


def _mixtral_moe(text: Mapping[str, Any], layers: int) -> Moe:
    experts, per_token = whole(text, "num_local_experts"), whole(text, "num_experts_per_tok")
    return Moe(frozenset(range(layers)), experts, per_token, whole(text, "intermediate_size"), 0, False)


def _llama4_moe(text: Mapping[str, Any], layers: int) -> Moe:
    if text.get("moe_layers") is not None:
        raise UnsupportedConfig("moe_layers: only interleave_moe_layer_step is known here")
    step, width = whole(text, "interleave_moe_layer_step"), whole(text, "intermediate_size")
    experts, per_token = whole(text, "num_local_experts"), whole(text, "num_experts_per_tok")
    return Moe(frozenset(range(step - 1, layers, step)), experts, per_token, width, width, False)
