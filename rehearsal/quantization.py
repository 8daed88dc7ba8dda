"""How weights are stored: bf16, Kimi's native INT4, and GPTQ INT4."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearsal.weights import Array

Stored = tuple[str, NDArray[Any]]  # safetensors dtype name, raw array

GROUP = 32  # Kimi K2's own INT4 group size
NATIVE_INT4: dict[str, Any] = {  # quantization_config of moonshotai/Kimi-K2-Thinking
    "quant_method": "compressed-tensors",
    "format": "pack-quantized",
    "quantization_status": "compressed",
    "kv_cache_scheme": None,
    "ignore": [
        "lm_head",
        "re:.*self_attn.*",
        "re:.*shared_experts.*",
        "re:.*mlp\\.(gate|up|gate_up|down)_proj.*",
    ],
    "config_groups": {
        "group_0": {
            "input_activations": None,
            "output_activations": None,
            "targets": ["Linear"],
            "weights": {
                "actorder": None,
                "block_structure": None,
                "dynamic": False,
                "group_size": GROUP,
                "num_bits": 4,
                "observer": "minmax",
                "observer_kwargs": {},
                "strategy": "group",
                "symmetric": True,
                "type": "int",
            },
        }
    },
}
GPTQ_INT4: dict[str, Any] = {  # routed experts stay bf16: vLLM's CPU kernel has no sigmoid routing
    "quant_method": "gptq",
    "bits": 4,
    "group_size": GROUP,
    "desc_act": False,
    "sym": True,
    "lm_head": False,
    "dynamic": {"-:.*self_attn.*": {}, "-:.*\\.experts.*": {}, "-:.*mlp\\.gate$": {}},
}


def _bf16(values: Array) -> Stored:
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return "BF16", rounded.astype(np.uint16)


def _pack(nibbles: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Eight 4-bit numbers to an int32, lowest first, along the last axis."""
    shifts = np.arange(8, dtype=np.uint32) * 4
    packed: NDArray[np.uint32] = (nibbles.reshape(*nibbles.shape[:-1], -1, 8) << shifts).sum(-1, dtype=np.uint32)
    return packed.view(np.int32)


def _quantise(weight: Array) -> tuple[NDArray[np.uint32], Array]:
    """Symmetric 4-bit numbers (offset 8) and one scale per `GROUP` inputs: [out, in], [out, in/GROUP]."""
    groups = weight.reshape(weight.shape[0], -1, GROUP)
    scale = np.abs(groups).max(-1) / 7
    numbers = np.clip(np.rint(groups / scale[..., None]), -8, 7) + 8
    return numbers.astype(np.uint32).reshape(weight.shape), scale


def native_int4(name: str, weight: Array) -> dict[str, Stored]:
    """Routed experts as compressed-tensors packs them, the rest in bf16."""
    if ".experts." not in name:
        return {name: _bf16(weight)}
    stem = name.removesuffix("weight")
    numbers, scale = _quantise(weight)
    shape = np.array(weight.shape, dtype=np.int32)
    return {
        stem + "weight_packed": ("I32", _pack(numbers)),
        stem + "weight_scale": _bf16(scale),
        stem + "weight_shape": ("I32", shape),
    }


def gptq_int4(name: str, weight: Array) -> dict[str, Stored]:
    """Dense and shared feed-forward blocks in GPTQ's layout, the rest in bf16."""
    if not name.endswith("_proj.weight") or ".experts." in name or "self_attn" in name:
        return {name: _bf16(weight)}
    stem = name.removesuffix("weight")
    numbers, scale = _quantise(weight)
    groups = weight.shape[1] // GROUP
    return {
        stem + "qweight": ("I32", np.ascontiguousarray(_pack(np.ascontiguousarray(numbers)).T)),
        stem + "scales": _bf16(np.ascontiguousarray(scale.T)),
        stem + "qzeros": ("I32", np.full((groups, weight.shape[0] // 8), 0x77777777, dtype=np.int32)),
        stem + "g_idx": ("I32", (np.arange(weight.shape[1]) // GROUP).astype(np.int32)),
    }


def plain(name: str, weight: Array) -> dict[str, Stored]:
    """Everything in bf16, but the router's bias in float32."""
    if name.endswith("e_score_correction_bias"):
        return {name: ("F32", weight)}
    return {name: _bf16(weight)}
