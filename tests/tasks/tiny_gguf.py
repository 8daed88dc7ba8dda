"""The rehearsal's checkpoint as one GGUF file, written by hand: what llama.cpp reads of Kimi K2's architecture.

Format: GGUF version 3 (ggml-org/ggml docs/gguf.md): magic, counts, key-values, tensor table, data aligned to 32 bytes.
Names and shapes: llama.cpp's deepseek2 loader, with `kv_b_proj` split into K (transposed) and V as its converter does.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from rehearsal.tokenizer import CHAT_TEMPLATE
from rehearsal.vocabulary import SPECIAL, tokens
from rehearsal.weights import CONFIG, EXPERTS, HEADS, KV_RANK, LAYERS, NOPE, ROPE, VALUE, Array, tensors

U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # token types
ALIGN = 32
# llama.cpp takes its parser for Kimi K2 by these two marks, which Kimi's own template has where it writes tool calls.
MARKS = "{#- <|tool_calls_section_begin|> <|tool_call_begin|> -#}\n"


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def value_of(kind: int, value: Any) -> bytes:
    if kind == STRING:
        return text(value)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def pair(key: str, kind: int, value: Any) -> bytes:
    return text(key) + struct.pack("<I", kind) + value_of(kind, value)


def array(key: str, kind: int, values: list[Any]) -> bytes:
    head = text(key) + struct.pack("<IIQ", ARRAY, kind, len(values))
    return head + b"".join(value_of(kind, value) for value in values)


def pairs() -> list[bytes]:
    """Every key-value, in the order in which llama.cpp's converter writes them."""
    scaling = CONFIG["rope_scaling"]
    numbers = {
        "context_length": CONFIG["max_position_embeddings"], "embedding_length": CONFIG["hidden_size"],
        "block_count": LAYERS, "feed_forward_length": CONFIG["intermediate_size"],
        "attention.head_count": HEADS, "attention.head_count_kv": 1, "leading_dense_block_count": 1,
        "vocab_size": CONFIG["vocab_size"], "attention.q_lora_rank": CONFIG["q_lora_rank"],
        "attention.kv_lora_rank": KV_RANK, "attention.key_length": KV_RANK + ROPE, "attention.value_length": KV_RANK,
        "attention.key_length_mla": NOPE + ROPE, "attention.value_length_mla": VALUE,
        "rope.dimension_count": ROPE, "expert_feed_forward_length": CONFIG["moe_intermediate_size"],
        "expert_count": EXPERTS, "expert_used_count": CONFIG["num_experts_per_tok"], "expert_shared_count": 1,
        "expert_group_count": 1, "expert_group_used_count": 1, "expert_gating_func": 2,  # sigmoid
        "rope.scaling.original_context_length": scaling["original_max_position_embeddings"],
    }  # fmt: skip
    reals = {
        "attention.layer_norm_rms_epsilon": CONFIG["rms_norm_eps"], "rope.freq_base": CONFIG["rope_theta"],
        "expert_weights_scale": CONFIG["routed_scaling_factor"], "rope.scaling.factor": scaling["factor"],
        "rope.scaling.yarn_log_multiplier": 0.1 * scaling["mscale_all_dim"],
    }  # fmt: skip
    return [
        pair("general.architecture", STRING, "deepseek2"),
        pair("general.name", STRING, "tiny-k2"),
        *(pair(f"deepseek2.{key}", U32, value) for key, value in numbers.items()),
        *(pair(f"deepseek2.{key}", F32, value) for key, value in reals.items()),
        pair("deepseek2.expert_weights_norm", BOOL, True),
        pair("deepseek2.rope.scaling.type", STRING, "yarn"),
        *vocabulary(),
    ]


def vocabulary() -> list[bytes]:
    """A byte-level BPE without merges; the words beside the bytes are tokens of their own."""
    names = tokens()
    control = set(SPECIAL) - {"<think>", "</think>"}
    types = [NORMAL if n < 256 else CONTROL if name in control else USER_DEFINED for n, name in enumerate(names)]
    return [
        pair("tokenizer.ggml.model", STRING, "gpt2"),
        pair("tokenizer.ggml.pre", STRING, "kimi-k2"),
        array("tokenizer.ggml.tokens", STRING, list(names)),
        array("tokenizer.ggml.token_type", I32, types),
        array("tokenizer.ggml.merges", STRING, []),
        pair("tokenizer.ggml.bos_token_id", U32, CONFIG["bos_token_id"]),
        pair("tokenizer.ggml.eos_token_id", U32, CONFIG["eos_token_id"]),
        pair("tokenizer.ggml.padding_token_id", U32, CONFIG["pad_token_id"]),
        pair("tokenizer.ggml.add_bos_token", BOOL, False),
        pair("tokenizer.chat_template", STRING, MARKS + CHAT_TEMPLATE),
    ]


def renamed() -> dict[str, Array]:
    """Every tensor under llama.cpp's name; experts stacked, K of `kv_b_proj` transposed."""
    given = tensors()
    out = {
        "token_embd.weight": given["model.embed_tokens.weight"],
        "output_norm.weight": given["model.norm.weight"],
        "output.weight": given["lm_head.weight"],
    }
    same = {
        "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "self_attn.q_a_proj": "attn_q_a",
        "self_attn.q_a_layernorm": "attn_q_a_norm", "self_attn.q_b_proj": "attn_q_b", "self_attn.o_proj": "attn_output",
        "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa", "self_attn.kv_a_layernorm": "attn_kv_a_norm",
        "mlp.gate": "ffn_gate_inp", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
        "mlp.shared_experts.gate_proj": "ffn_gate_shexp", "mlp.shared_experts.up_proj": "ffn_up_shexp",
        "mlp.shared_experts.down_proj": "ffn_down_shexp",
    }  # fmt: skip
    for layer in range(LAYERS):
        at, to = f"model.layers.{layer}.", f"blk.{layer}."
        there = {old: new for old, new in same.items() if f"{at}{old}.weight" in given}
        out |= {f"{to}{new}.weight": given[f"{at}{old}.weight"] for old, new in there.items()}
        both = given[f"{at}self_attn.kv_b_proj.weight"].reshape(HEADS, NOPE + VALUE, KV_RANK)
        out[f"{to}attn_k_b.weight"] = np.ascontiguousarray(both[:, :NOPE].transpose(0, 2, 1))
        out[f"{to}attn_v_b.weight"] = np.ascontiguousarray(both[:, NOPE:])
        if f"{at}mlp.gate.e_score_correction_bias" in given:
            out[f"{to}exp_probs_b.bias"] = given[f"{at}mlp.gate.e_score_correction_bias"]
            for part in ("gate", "up", "down"):
                each = [given[f"{at}mlp.experts.{n}.{part}_proj.weight"] for n in range(EXPERTS)]
                out[f"{to}ffn_{part}_exps.weight"] = np.stack(each)
    return out


def write(path: Path) -> Path:
    """The whole file, float32."""
    table, offset, blobs = b"", 0, b""
    named = renamed()
    for name, weight in named.items():
        shape = tuple(reversed(weight.shape))
        table += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        raw = weight.astype("<f4").tobytes()
        raw += b"\0" * (-len(raw) % ALIGN)
        blobs, offset = blobs + raw, offset + len(raw)
    told = pairs()
    head = b"GGUF" + struct.pack("<IQQ", 3, len(named), len(told)) + b"".join(told) + table
    path.write_bytes(head + b"\0" * (-len(head) % ALIGN) + blobs)
    return path
