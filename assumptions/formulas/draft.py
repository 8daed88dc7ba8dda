"""A draft model for speculative decoding: what its own config.json adds to each GPU.

An Eagle3 head is one decoder layer that reads the embedding beside three hidden states of the target: its first
projections are twice as wide, `fc` (3 x hidden to hidden) lies whole on each rank, and it brings an output head.
Measured: the one for Kimi K2.6 loads 0.76 GiB on each of 8 GPUs (71.92 - 71.16 logged, H200).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assumptions.formulas.architecture import Architecture, read
from assumptions.formulas.kv import kv_bytes_of_layers
from assumptions.formulas.quantization import quantization
from assumptions.formulas.shapes import UnsupportedConfig, whole, words
from assumptions.formulas.tensors import BF16, layer_tensors
from assumptions.formulas.weights import check_split, stage_bytes

WIDE = ("q_proj", "k_proj", "v_proj", "q_a_proj", "kv_a_proj_with_mqa")  # these read embedding and hidden state
READS = 3  # hidden states of the target that an Eagle3 head takes


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft model's shape; `eagle` for a head of the Eagle3 kind, with `head_vocab` entries in its output head."""

    arch: Architecture
    eagle: bool
    head_vocab: int


def draft_of(config: Mapping[str, Any]) -> Draft:
    """The draft model that `config` declares: an Eagle3 head, or a whole model of a kind that `read` knows."""
    if not isinstance(config, Mapping):
        raise UnsupportedConfig("the draft model's configuration is not an object")
    names = words(config, "architectures")
    eagle = any("eagle3" in name.lower() for name in names)
    if not eagle and any(word in name.lower() for name in names for word in ("eagle", "medusa", "mtp", "dflash")):
        raise UnsupportedConfig(f"draft architecture {names[0][:40]!r}: only Eagle3 heads and whole models are known")
    known = {"kimi_k25_eagle3": "llama", "eagle3": "llama"}
    kind = config.get("model_type")
    told = {**config, "model_type": known[kind]} if eagle and isinstance(kind, str) and kind in known else config
    arch = read(told)
    if eagle and (arch.layers != 1 or arch.moe is not None):
        raise UnsupportedConfig("an Eagle3 head of more than one dense layer is not known here")
    return Draft(arch, eagle, whole(config, "draft_vocab_size", arch.vocab))


def draft_bytes(draft: Draft, *, tp: int, pp: int = 1) -> int:
    """Bytes of the draft model on one rank; the target's embedding is shared unless pipeline stages part them."""
    if not draft.eagle:
        return stage_bytes(draft.arch, tp=tp)[0]
    arch = draft.arch
    check_split(arch, tp=tp)
    scheme, layer = quantization(arch.quantization), 0
    for tensor in layer_tensors(arch, 0):
        size = scheme.bytes_of(tensor) * (2 if tensor.name.endswith(WIDE) else 1)
        layer += size if tensor.split == "whole" else -(-size // tp)
    fc = READS * arch.hidden * arch.hidden * BF16
    head = draft.head_vocab * arch.hidden * BF16
    embedding = arch.vocab * arch.hidden * BF16 if pp > 1 else 0
    return layer + fc + -(-(head + embedding) // tp)


def draft_kv_bytes(draft: Draft, *, tp: int, kv_dtype: str) -> int:
    """Bytes per token of the draft's own cache on one rank.

    It is not divided by decode context parallelism: with DCP 8 Kimi K2.6 and its draft held 1,822,464 tokens on RTX
    PRO 6000 where the target alone held 3,267,968 (rows m260, m261).
    """
    return kv_bytes_of_layers(draft.arch, draft.arch.layers, tp=tp, kv_dtype=kv_dtype)
