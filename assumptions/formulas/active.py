"""What one token touches of a mixture of experts: parameters and stored bytes, the routed experts by their share."""

from __future__ import annotations

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.stored import Lot, bytes_of, stored_by
from assumptions.formulas.tensors import params


def active_params(arch: Architecture) -> float:
    """Parameters that compute one token: all but idle experts, vision tower and input embedding (a row is read).

    Kimi K2: 11,722,208,768 outside the experts, less 1,174,405,120 of embedding, and 8 of 384 experts: 31.69 G.
    """
    found = params(arch)
    rest = sum(found.values()) - found.get("experts", 0) - found.get("embeddings", 0) - found.get("vision", 0)
    return rest + found.get("experts", 0) * _share(arch)


def active_bytes(arch: Architecture) -> float:
    """Stored bytes that one token reads, by the checkpoint's own number formats."""
    stored = stored_by(arch)
    layers = (lot for layer in stored.layers for lot in layer)
    return bytes_of(stored.last) + sum(_read(lot, arch) for lot in layers)


def _read(lot: Lot, arch: Architecture) -> float:
    return lot.size * lot.times * (_share(arch) if lot.split == "expert" else 1.0)


def _share(arch: Architecture) -> float:
    return arch.moe.per_token / arch.moe.experts if arch.moe else 1.0
