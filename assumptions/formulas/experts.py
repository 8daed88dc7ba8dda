"""Mixture-of-experts layers: which layers hold experts, how many, how wide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from assumptions.formulas.shapes import UnsupportedConfig, flag, whole

FP32 = 4
KEPT_WIDE = ("glm4_moe",)  # vLLM 0.19 glm4_moe.py and minimax_m2.py make the router in float32
CORRECTED = ("glm4_moe",)  # its router has e_score_correction_bias whatever topk_method says


class Moe(NamedTuple):
    """Routed and shared experts, and which layers hold them."""

    layers: frozenset[int]
    experts: int
    per_token: int
    width: int
    shared_width: int
    router_bias: bool  # one correction for each expert, in fp32
    router_bytes: int = 2  # of each number in the router as it is loaded; FP32 where vLLM keeps it so


def moe(text: Mapping[str, Any], kind: str, layers: int) -> Moe | None:
    """The experts that `text` declares for a model of this `kind`; None when every layer is dense."""
    reader = READERS.get(kind)
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
        router_bias=text.get("topk_method") == "noaux_tc" or text.get("model_type") in CORRECTED,
        router_bytes=FP32 if text.get("moe_router_dtype") == "float32" or text.get("model_type") in KEPT_WIDE else 2,
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


def _minimax_moe(text: Mapping[str, Any], layers: int) -> Moe:
    """MiniMax M2: experts in every layer, as wide as intermediate_size; its draft modules are not loaded."""
    experts, per_token = whole(text, "num_local_experts"), whole(text, "num_experts_per_tok")
    routed, shared = whole(text, "intermediate_size"), whole(text, "shared_intermediate_size", 0, least=0)
    biased = flag(text, "use_routing_bias")
    return Moe(frozenset(range(layers)), experts, per_token, routed, shared, biased, router_bytes=FP32)


def _llama4_moe(text: Mapping[str, Any], layers: int) -> Moe:
    if text.get("moe_layers") is not None:
        raise UnsupportedConfig("moe_layers: only interleave_moe_layer_step is known here")
    step, width = whole(text, "interleave_moe_layer_step"), whole(text, "intermediate_size")
    experts, per_token = whole(text, "num_local_experts"), whole(text, "num_experts_per_tok")
    return Moe(frozenset(range(step - 1, layers, step)), experts, per_token, width, width, False)


READERS = {
    "deepseek": _deepseek_moe,
    "glm4_moe": _deepseek_moe,
    "qwen3": _qwen_moe,
    "mixtral": _mixtral_moe,
    "gpt_oss": _mixtral_moe,
    "minimax": _minimax_moe,
    "llama4": _llama4_moe,
}
