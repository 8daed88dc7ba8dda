"""The number format that a KV cache is kept in: what `auto` and `fp8` mean for a model, a version and a card."""

from __future__ import annotations

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.eras import version_of
from assumptions.formulas.shapes import UnsupportedConfig, shown

BYTES = {"auto": 2, "bf16": 2, "bfloat16": 2, "float16": 2, "fp16": 2, "fp8": 1, "fp8_e4m3": 1, "fp8_e5m2": 1}
DS_MLA = "fp8_ds_mla"
BF16 = "bf16"
DECLARED_COUNTS_FROM = (0, 18, 0)  # vLLM 0.18.1, 0.19.0 and 0.33.0 wheels: torch_utils.py follows a modelopt scheme
PACKED_BY_DEFAULT_UNTIL = (0, 11, 1)  # vllm#25988: `auto` meant fp8_ds_mla in 0.11.0; the version it ended is assumed
BLACKWELL, WORKSTATION = 10, 12  # major compute capability: B200, RTX PRO 6000


def cache_format(
    arch: Architecture, kv_dtype: str = "auto", *, vllm: str | None = None, compute_capability: float | None = None
) -> str:
    """The format behind `kv_dtype`: a key of BYTES other than "auto", or fp8_ds_mla.

    Without a version or a card the newest release on Hopper is meant.
    """
    if not isinstance(kv_dtype, str) or (kv_dtype != DS_MLA and kv_dtype not in BYTES):
        raise UnsupportedConfig(f"kv_dtype {shown(kv_dtype)} is not one of {', '.join((*BYTES, DS_MLA))}")
    named = _declared(arch, vllm) if kv_dtype == "auto" else kv_dtype
    if arch.indexer is not None:
        return _sparse(arch, named, vllm, compute_capability)
    return BF16 if named == "auto" else named


def _declared(arch: Architecture, vllm: str | None) -> str:
    """What the checkpoint asks for; "auto" where it asks for nothing."""
    told = arch.quantization or {}
    for key in ("kv_cache_scheme", "kv_cache_quant_algo"):
        value = told.get(key)
        if value is None:
            continue
        eight = value == "FP8" or (isinstance(value, dict) and value.get("num_bits") == 8 and not value.get("dynamic"))
        modelopt = str(told.get("quant_method", "modelopt")).startswith("modelopt")
        version = version_of(vllm) if vllm is not None else DECLARED_COUNTS_FROM
        if eight and modelopt and version and version >= DECLARED_COUNTS_FROM:
            return "fp8"
        raise UnsupportedConfig(f"{key} is set, and what 'auto' makes of it depends on the version; name kv_dtype")
    return "auto"


def _sparse(arch: Architecture, named: str, vllm: str | None, capability: float | None) -> str:
    """DeepSeek Sparse Attention: FP8 is packed to 656 bytes where the kernel is FlashMLA's.

    vLLM 0.33 wheel: GLM's `auto` is FP8 on B200 (models/config.py), RTX PRO 6000 packs always, and on B200 FP8 is read
    by FlashInfer unpacked (platforms/cuda.py); up to 0.19 that was so only with 16 heads or fewer on a rank.
    """
    major = int(capability) if capability is not None else 9
    version = version_of(vllm) if vllm is not None else None
    if named == "auto":
        if version and version < PACKED_BY_DEFAULT_UNTIL:
            return DS_MLA
        named = "fp8" if arch.name.startswith("glm") and major == BLACKWELL else BF16
    if major == WORKSTATION:
        return DS_MLA
    if named.startswith("fp8") and major != BLACKWELL:
        return DS_MLA
    return named
