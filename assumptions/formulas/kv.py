"""Bytes of KV cache per token, what one request takes, and how many tokens a pool of memory holds."""

from __future__ import annotations

from typing import NamedTuple

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.cache_format import BYTES, DS_MLA, cache_format
from assumptions.formulas.shapes import UnsupportedConfig, quantity, shown, whole_number
from assumptions.formulas.weights import check_split, stages

DS_MLA_BYTES = 656  # per layer: 512 FP8 numbers, 4 float32 scales, 64 bf16 (vLLM 0.33 wheel)
INDEX_SCALE = 4  # bytes beside each 128 FP8 numbers of an indexer's key (vLLM 0.19 deepseek_v2.py)
INDEX_GROUP = 128


class Cache(NamedTuple):
    """What one rank keeps of a request: `full` bytes of every token, `windowed` bytes of its last `reach` tokens."""

    full: int
    windowed: int = 0
    reach: int = 0

    @property
    def every_layer(self) -> int:
        """Bytes per token as if every layer kept it."""
        return self.full + self.windowed

    def request_bytes(self, tokens: int) -> int:
        """Bytes of one request of `tokens`."""
        return self.full * tokens + self.windowed * min(tokens, self.reach)

    def longest(self, room_bytes: float) -> int:
        """Tokens of the longest single request that fits."""
        inside = int(max(0.0, room_bytes) // self.every_layer)
        return inside if inside < self.reach else int((room_bytes - self.windowed * self.reach) // self.full)


def cache_of(
    arch: Architecture,
    layers: range,
    *,
    tp: int,
    dcp: int = 1,
    kv_dtype: str = "auto",
    batched_tokens: int = 0,
    vllm: str | None = None,
    compute_capability: float | None = None,
) -> Cache:
    """The cache of one rank that holds `layers`; a windowed one keeps its window and `batched_tokens` more.

    vLLM 0.19 kv_cache_interface.py: window - 1 + max_num_batched_tokens, and one block more, of 16 tokens.
    """
    check_split(arch, tp=tp, ep=True)
    _check_dcp(arch, tp, dcp)
    each = _each_layer(arch, tp, cache_format(arch, kv_dtype, vllm=vllm, compute_capability=compute_capability))
    index = _index_bytes(arch, layers)
    if arch.windowed is None:
        return Cache(-(-(len(layers) * each + index) // dcp))
    held = sum(layer in arch.windowed.layers for layer in layers)
    return Cache((len(layers) - held) * each + index, held * each, arch.windowed.tokens - 1 + batched_tokens + 16)


def kv_bytes_per_layer(arch: Architecture, *, tp: int, kv_dtype: str = "auto") -> int:
    """Bytes that one token leaves in one layer's cache on one rank: MLA in full on every rank, GQA by heads."""
    return _each_layer(arch, tp, cache_format(arch, kv_dtype))


def kv_bytes_per_token_per_rank(
    arch: Architecture,
    *,
    tp: int,
    pp: int = 1,
    dcp: int = 1,
    kv_dtype: str = "auto",
    vllm: str | None = None,
    compute_capability: float | None = None,
) -> int:
    """Bytes per token on a rank of the fullest stage; `dcp` ranks share each token's cache.

    Windowed layers count in full, as they do in the token count that vLLM logs up to 0.19.  Version and card matter
    for sparse attention and for checkpoints that declare a cache format.
    """
    told = {"tp": tp, "dcp": dcp}
    return max(
        cache_of(arch, layers, kv_dtype=kv_dtype, vllm=vllm, compute_capability=compute_capability, **told).every_layer
        for layers in stages(arch, pp)
    )


def kv_bytes_of_layers(
    arch: Architecture, layers: range | int, *, tp: int, dcp: int = 1, kv_dtype: str = "auto"
) -> int:
    """Bytes per token on one rank that holds `layers`, an indexer's key cache with them; rounded up over `dcp`."""
    held = range(layers) if isinstance(layers, int) else layers
    return cache_of(arch, held, tp=tp, dcp=dcp, kv_dtype=kv_dtype).every_layer


def kv_tokens(kv_bytes: float, per_token: int, block_size: int) -> int:
    """Tokens that fit in `kv_bytes`, in whole blocks; 0 when there is no room."""
    held = quantity("kv_bytes", kv_bytes, least=-1e18, most=1e18)
    size = whole_number("block_size", block_size)
    return max(0, int(held // (whole_number("per_token", per_token) * size))) * size


def _each_layer(arch: Architecture, tp: int, kind: str) -> int:
    if arch.mla:
        return DS_MLA_BYTES if kind == DS_MLA else (arch.mla.kv_rank + arch.mla.rope) * BYTES[kind]
    if kind == DS_MLA:
        raise UnsupportedConfig(f"kv_dtype {DS_MLA} is for latent attention only")
    return 2 * max(1, arch.kv_heads // tp) * arch.head_dim * BYTES[kind]


def _index_bytes(arch: Architecture, layers: range) -> int:
    """Bytes per token of the indexers' keys: FP8 whatever the cache's own format is, with their scales."""
    if arch.indexer is None:
        return 0
    width = arch.indexer.head_dim
    each = width + width // INDEX_GROUP * INDEX_SCALE
    return each * sum(layer in arch.indexer.layers for layer in layers)


def _check_dcp(arch: Architecture, tp: int, dcp: int) -> None:
    most = tp if arch.mla else max(1, tp // arch.kv_heads)
    if tp % whole_number("dcp", dcp) or dcp > most:
        raise UnsupportedConfig(f"dcp {shown(dcp)} must divide tp {tp} and be at most {most} for this model")
    if dcp > 1 and arch.windowed is not None:
        raise UnsupportedConfig(f"dcp {dcp} with windowed layers: vLLM refuses it (kv_cache_interface.py)")
