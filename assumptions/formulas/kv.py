"""Bytes of KV cache per token, and how many tokens a pool of memory holds."""

from __future__ import annotations

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.shapes import UnsupportedConfig, quantity, shown, whole_number
from assumptions.formulas.weights import check_split, stages

BYTES = {"auto": 2, "bf16": 2, "bfloat16": 2, "float16": 2, "fp16": 2, "fp8": 1, "fp8_e4m3": 1, "fp8_e5m2": 1}
DS_MLA = "fp8_ds_mla"
DS_MLA_BYTES = 656  # per layer: 512 FP8 numbers, 4 float32 scales, 64 bf16 (vLLM 0.33 wheel)


def kv_bytes_per_layer(arch: Architecture, *, tp: int, kv_dtype: str = "auto") -> int:
    """Bytes that one token leaves in one layer's cache on one rank: MLA in full on every rank, GQA by heads."""
    if not isinstance(kv_dtype, str) or (kv_dtype != DS_MLA and kv_dtype not in BYTES):
        raise UnsupportedConfig(f"kv_dtype {shown(kv_dtype)} is not one of {', '.join((*BYTES, DS_MLA))}")
    if kv_dtype == "auto":
        _refuse_declared_cache(arch)
    if arch.mla:
        return DS_MLA_BYTES if kv_dtype == DS_MLA else (arch.mla.kv_rank + arch.mla.rope) * BYTES[kv_dtype]
    if kv_dtype == DS_MLA:
        raise UnsupportedConfig(f"kv_dtype {DS_MLA} is for latent attention only")
    return 2 * max(1, arch.kv_heads // tp) * arch.head_dim * BYTES[kv_dtype]


def kv_bytes_per_token_per_rank(
    arch: Architecture, *, tp: int, pp: int = 1, dcp: int = 1, kv_dtype: str = "auto"
) -> int:
    """Bytes per token on a rank of the stage with most layers; `dcp` ranks share each token's cache."""
    return kv_bytes_of_layers(arch, max(map(len, stages(arch, pp))), tp=tp, dcp=dcp, kv_dtype=kv_dtype)


def kv_bytes_of_layers(arch: Architecture, layers: int, *, tp: int, dcp: int = 1, kv_dtype: str = "auto") -> int:
    """Bytes per token on one rank that holds `layers` layers, rounded up where `dcp` doesn't divide them."""
    check_split(arch, tp=tp, ep=True)
    most = tp if arch.mla else max(1, tp // arch.kv_heads)
    if tp % whole_number("dcp", dcp) or dcp > most:
        raise UnsupportedConfig(f"dcp {dcp} must divide tp {tp} and be at most {most} for this model")
    return -(-layers * kv_bytes_per_layer(arch, tp=tp, kv_dtype=kv_dtype) // dcp)


def kv_tokens(kv_bytes: float, per_token: int, block_size: int) -> int:
    """Tokens that fit in `kv_bytes`, in whole blocks; 0 when there is no room."""
    held = quantity("kv_bytes", kv_bytes, least=-1e18, most=1e18)
    size = whole_number("block_size", block_size)
    return max(0, int(held // (whole_number("per_token", per_token) * size))) * size


def _refuse_declared_cache(arch: Architecture) -> None:
    declared = arch.quantization or {}
    for key in ("kv_cache_scheme", "kv_cache_quant_algo"):
        if declared.get(key) is not None:
            raise UnsupportedConfig(f"{key} is set, and what 'auto' makes of it depends on the version; name kv_dtype")
