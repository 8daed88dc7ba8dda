"""Every weight matrix and vector of a decoder, by family, layer, shape and how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from assumptions.formulas.architecture import Architecture, Mla
from assumptions.formulas.attention import Indexer
from assumptions.formulas.experts import Moe

BF16, FP32 = 2, 4
# The module's name; elsewhere "mlp."
FEED_FORWARD = {"mixtral": "block_sparse_moe.", "minimax": "block_sparse_moe.", "llama4": "feed_forward."}


class Tensor(NamedTuple):
    """`copies` tensors of `rows` x `columns` (a vector has 1 column); `name` is that of the first.

    `split` says what tensor parallelism does: "tp" divides it, "kv" divides it down to one key/value head,
    "expert" divides it over every rank that shares experts, "whole" leaves a copy on each rank.
    `linear` tensors may be quantised; the others keep `item_bytes` per number.
    """

    family: str
    name: str
    rows: int
    columns: int = 1
    copies: int = 1
    split: str = "tp"
    linear: bool = False
    item_bytes: int = BF16
    layer: int = 0

    @property
    def params(self) -> int:
        """Numbers in all `copies` tensors together."""
        return self.rows * self.columns * self.copies


def layer_tensors(arch: Architecture, layer: int) -> Iterator[Tensor]:
    """Every tensor of one decoder layer."""
    at = f"model.layers.{layer}."
    for norm in ("input_layernorm", "post_attention_layernorm"):
        yield Tensor("norms", at + norm, arch.hidden, split="whole", layer=layer)
    attention = at + "self_attn."
    yield from _mla(arch, arch.mla, attention, layer) if arch.mla else _gqa(arch, attention, layer)
    block = at + FEED_FORWARD.get(arch.kind, "mlp.")
    if arch.moe and layer in arch.moe.layers:
        yield from _moe(arch, arch.moe, block, layer)
    else:
        yield from _mlp("dense", block, arch.hidden, arch.dense_width, layer)


def first_tensors(arch: Architecture) -> Iterator[Tensor]:
    """What stands before the first layer."""
    yield Tensor("embeddings", "model.embed_tokens", arch.vocab, arch.hidden)


def last_tensors(arch: Architecture) -> Iterator[Tensor]:
    """What stands after the last layer; a tied head is the embedding, listed in neither place twice."""
    yield Tensor("norms", "model.norm", arch.hidden, split="whole", layer=arch.layers - 1)
    if not arch.tied:
        yield Tensor("head", "lm_head", arch.vocab, arch.hidden, linear=True, layer=arch.layers - 1)


def draft_tensors(arch: Architecture) -> Iterator[Tensor]:
    """The multi-token-prediction layers of a DeepSeek checkpoint: on disk, not loaded for ordinary serving."""
    for layer in range(arch.layers, arch.layers + arch.draft_layers):
        yield from layer_tensors(arch, layer if arch.moe is None else max(arch.moe.layers))
        yield Tensor("draft", f"model.layers.{layer}.eh_proj", arch.hidden, 2 * arch.hidden)
        yield Tensor("draft", f"model.layers.{layer}.enorm", 3 * arch.hidden)
        yield Tensor("draft", f"model.layers.{layer}.embed_tokens", arch.vocab, arch.hidden, copies=2)


def text_tensors(arch: Architecture) -> Iterator[Tensor]:
    """The whole decoder, without draft layers and vision tower."""
    yield from first_tensors(arch)
    for layer in range(arch.layers):
        yield from layer_tensors(arch, layer)
    yield from last_tensors(arch)


def params(arch: Architecture) -> dict[str, int]:
    """Parameters per family, the vision tower's among them where its size is known."""
    total: dict[str, int] = {}
    for tensor in text_tensors(arch):
        total[tensor.family] = total.get(tensor.family, 0) + tensor.params
    if arch.vision_params:
        total["vision"] = arch.vision_params
    return total


def _mla(arch: Architecture, mla: Mla, at: str, layer: int) -> Iterator[Tensor]:
    query = arch.heads * (mla.nope + mla.rope)
    if mla.q_rank is None:
        yield _linear("attention", at + "q_proj", query, arch.hidden, layer)
    else:
        yield _linear("attention", at + "q_a_proj", mla.q_rank, arch.hidden, layer, split="whole")
        yield Tensor("norms", at + "q_a_layernorm", mla.q_rank, split="whole", layer=layer)
        yield _linear("attention", at + "q_b_proj", query, mla.q_rank, layer)
    yield _linear("attention", at + "kv_a_proj_with_mqa", mla.kv_rank + mla.rope, arch.hidden, layer, split="whole")
    yield Tensor("norms", at + "kv_a_layernorm", mla.kv_rank, split="whole", layer=layer)
    yield _linear("attention", at + "kv_b_proj", arch.heads * (mla.nope + mla.value), mla.kv_rank, layer)
    yield _linear("attention", at + "o_proj", arch.hidden, arch.heads * mla.value, layer)
    if arch.indexer and mla.q_rank and layer in arch.indexer.layers:
        yield from _indexer(arch, arch.indexer, mla.q_rank, at, layer)


def _indexer(arch: Architecture, indexer: Indexer, q_rank: int, at: str, layer: int) -> Iterator[Tensor]:
    """Sparse attention's indexer, whole on each rank; its weights_proj is quantised nowhere (vLLM 0.19 wheel)."""
    wide = indexer.heads * indexer.head_dim
    yield _linear("indexer", at + "indexer.wq_b", wide, q_rank, layer, split="whole")
    yield _linear("indexer", at + "indexer.wk", indexer.head_dim, arch.hidden, layer, split="whole")
    yield Tensor("indexer", at + "indexer.k_norm", 2 * indexer.head_dim, split="whole", item_bytes=FP32, layer=layer)
    yield Tensor("indexer", at + "indexer.weights_proj", indexer.heads, arch.hidden, split="whole", layer=layer)


def _gqa(arch: Architecture, at: str, layer: int) -> Iterator[Tensor]:
    widths = {"q": arch.heads * arch.head_dim, "k": arch.kv_heads * arch.head_dim, "v": arch.kv_heads * arch.head_dim}
    for part, width in widths.items():
        split = "tp" if part == "q" else "kv"
        yield _linear("attention", f"{at}{part}_proj", width, arch.hidden, layer, split=split)
        if arch.qkv_bias:
            yield Tensor("attention", f"{at}{part}_proj.bias", width, split=split, layer=layer)
    yield _linear("attention", at + "o_proj", arch.hidden, widths["q"], layer)
    if arch.output_bias:
        yield Tensor("attention", at + "o_proj.bias", arch.hidden, split="whole", layer=layer)
    if arch.kind == "minimax":  # it norms all heads together
        yield Tensor("norms", at + "q_norm", widths["q"], layer=layer)
        yield Tensor("norms", at + "k_norm", widths["k"], split="kv", layer=layer)
    if arch.kind == "gpt_oss":
        yield Tensor("attention", at + "sinks", arch.heads, layer=layer)
    if arch.head_norms:
        yield Tensor("norms", at + "q_norm", 2 * arch.head_dim, split="whole", layer=layer)


def _moe(arch: Architecture, moe: Moe, at: str, layer: int) -> Iterator[Tensor]:
    width = moe.router_bytes
    yield Tensor("router", at + "gate", moe.experts, arch.hidden, split="whole", item_bytes=width, layer=layer)
    if arch.kind == "gpt_oss":
        yield Tensor("router", at + "gate.bias", moe.experts, split="whole", layer=layer)
        for part, rows in (("gate_up", 2 * moe.width), ("down", arch.hidden)):
            name = f"{at}experts.0.{part}_proj.bias"
            yield Tensor("experts", name, rows, copies=moe.experts, split="expert", layer=layer)
    if moe.router_bias:
        yield Tensor(
            "router", at + "gate.e_score_correction_bias", moe.experts, split="whole", item_bytes=FP32, layer=layer
        )
    yield from _mlp("experts", at + "experts.0.", arch.hidden, moe.width, layer, copies=moe.experts, split="expert")
    if moe.shared_width:
        shared = "shared_expert." if arch.kind == "llama4" else "shared_experts."
        yield from _mlp("shared", at + shared, arch.hidden, moe.shared_width, layer)


def _mlp(
    family: str, at: str, hidden: int, width: int, layer: int, *, copies: int = 1, split: str = "tp"
) -> Iterator[Tensor]:
    for part, rows, columns in (("gate", width, hidden), ("up", width, hidden), ("down", hidden, width)):
        yield _linear(family, f"{at}{part}_proj", rows, columns, layer, copies=copies, split=split)


def _linear(
    family: str, name: str, rows: int, columns: int, layer: int, *, copies: int = 1, split: str = "tp"
) -> Tensor:
    return Tensor(family, name, rows, columns, copies, split, linear=True, layer=layer)
