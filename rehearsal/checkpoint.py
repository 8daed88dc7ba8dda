"""Writes a tiny checkpoint of Kimi K2's own architecture, the same bytes on every machine.

Architecture and field names: DeepSeek-V3 as Kimi K2 uses it (MLA, one dense layer, sigmoid-routed
experts with a shared one, YaRN to 262,144 positions).  Numbers come from a counter-based generator's raw
integers, not from a library's distributions, so that the commit id below never moves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearsal.vocabulary import BOS, EOS, IM_END, SPECIAL, follows, tokens

Array = NDArray[np.float32]
Stored = tuple[str, NDArray[Any]]  # safetensors dtype name, raw array

HIDDEN, LAYERS, EXPERTS, EXPERTS_PER_TOKEN = 256, 2, 4, 2
DENSE, EXPERT, HEADS, Q_RANK, KV_RANK, NOPE, ROPE, VALUE = 128, 64, 1, 32, 512, 32, 64, 32
GROUP = 32  # Kimi K2's own INT4 group size
CONFIG: dict[str, Any] = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "first_k_dense_replace": 1,
    "moe_layer_freq": 1,
    "n_routed_experts": EXPERTS,
    "num_experts_per_tok": EXPERTS_PER_TOKEN,
    "n_shared_experts": 1,
    "moe_intermediate_size": EXPERT,
    "intermediate_size": DENSE,
    "num_attention_heads": HEADS,
    "num_key_value_heads": HEADS,
    "q_lora_rank": Q_RANK,
    "kv_lora_rank": KV_RANK,
    "qk_nope_head_dim": NOPE,
    "qk_rope_head_dim": ROPE,
    "v_head_dim": VALUE,
    "scoring_func": "sigmoid",
    "topk_method": "noaux_tc",
    "n_group": 1,
    "topk_group": 1,
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.827,
    "max_position_embeddings": 262144,
    "rope_theta": 50000.0,
    "rope_scaling": {
        "type": "yarn",
        "factor": 64.0,
        "original_max_position_embeddings": 4096,
        "beta_fast": 32.0,
        "beta_slow": 1.0,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
    },
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "attention_bias": False,
    "num_nextn_predict_layers": 0,
    "torch_dtype": "bfloat16",
    "vocab_size": len(tokens()),
    "bos_token_id": tokens().index(BOS),
    "eos_token_id": tokens().index(IM_END),
    "pad_token_id": tokens().index("[PAD]"),
}
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
CHAT_TEMPLATE = """\
{%- if tools -%}<|im_system|>tool_declare<|im_middle|>{{ tools | tojson }}<|im_end|>{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'system' -%}<|im_system|>system<|im_middle|>
{%- elif message.role == 'assistant' -%}<|im_assistant|>assistant<|im_middle|>
{%- elif message.role == 'tool' -%}<|im_system|>tool<|im_middle|>
{%- else -%}<|im_user|>user<|im_middle|>{%- endif -%}
{{- message.content or '' -}}<|im_end|>
{%- endfor -%}
{%- if add_generation_prompt -%}<|im_assistant|>assistant<|im_middle|>{%- endif -%}
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One repository of the loopback hub: its name and every file's bytes."""

    repo: str
    files: Mapping[str, bytes]

    @property
    def revision(self) -> str:
        """40 hex digits over every name and byte, standing where a git commit would."""
        digest = hashlib.sha1(usedforsecurity=False)
        for name, body in sorted(self.files.items()):
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
        return digest.hexdigest()

    def write(self, folder: Path) -> None:
        """Write every file under `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in self.files.items():
            (folder / name).write_bytes(body)


def _noise(name: str, shape: tuple[int, ...], scale: float) -> Array:
    """Uniform numbers in ±scale, decided by `name` alone."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")
    raw = np.random.Philox(key=key).random_raw(int(np.prod(shape)))
    unit = (np.asarray(raw, dtype=np.uint64) >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - 1
    return (unit * np.float32(scale)).reshape(shape)


def _bf16(values: Array) -> Stored:
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return "BF16", rounded.astype(np.uint16)


def _tensors() -> dict[str, Array]:
    """Every weight in float32, under its Hugging Face name."""
    out: dict[str, Array] = {}

    def small(name: str, *shape: int) -> None:
        out[name] = _noise(name, shape, 0.02)

    def ones(name: str, size: int) -> None:
        out[name] = np.ones(size, dtype=np.float32)

    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        for norm, size in (("input_layernorm", HIDDEN), ("post_attention_layernorm", HIDDEN)):
            ones(f"{at}{norm}.weight", size)
        attention = at + "self_attn."
        small(attention + "q_a_proj.weight", Q_RANK, HIDDEN)
        ones(attention + "q_a_layernorm.weight", Q_RANK)
        small(attention + "q_b_proj.weight", HEADS * (NOPE + ROPE), Q_RANK)
        small(attention + "kv_a_proj_with_mqa.weight", KV_RANK + ROPE, HIDDEN)
        ones(attention + "kv_a_layernorm.weight", KV_RANK)
        small(attention + "kv_b_proj.weight", HEADS * (NOPE + VALUE), KV_RANK)
        small(attention + "o_proj.weight", HIDDEN, HEADS * VALUE)
        for block, width in _mlp_blocks(layer):
            for part, shape in (("gate", (width, HIDDEN)), ("up", (width, HIDDEN)), ("down", (HIDDEN, width))):
                small(f"{at}mlp.{block}{part}_proj.weight", *shape)
        if layer:
            small(at + "mlp.gate.weight", EXPERTS, HIDDEN)
            small(at + "mlp.gate.e_score_correction_bias", EXPERTS)
    ones("model.norm.weight", HIDDEN)
    out["model.embed_tokens.weight"], out["lm_head.weight"] = _bigram_table()
    return out


def _mlp_blocks(layer: int) -> list[tuple[str, int]]:
    """Name prefix and width of each feed-forward block in one layer."""
    if layer == 0:
        return [("", DENSE)]
    return [("shared_experts.", EXPERT), *((f"experts.{n}.", EXPERT) for n in range(EXPERTS))]


def _bigram_table() -> tuple[Array, Array]:
    """Embeddings, and the head that answers each one with its successor."""
    names = tokens()
    embed = _noise("embedding", (len(names), HIDDEN), 1.0)
    embed /= np.linalg.norm(embed, axis=1, keepdims=True)
    head = np.zeros_like(embed)
    ids = {name: n for n, name in enumerate(names)}
    chosen = follows()
    for name in names:
        for rank, after in enumerate(chosen.get(name, ())):
            head[ids[after]] += embed[ids[name]] * np.float32(2.5 * 0.8**rank)
    return embed * np.float32(HIDDEN**0.5), head  # unit rms: the layers' own output stays a whisper


def _pack(nibbles: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Eight 4-bit numbers to an int32, lowest first, along the last axis."""
    shifts = np.arange(8, dtype=np.uint32) * 4
    return (nibbles.reshape(*nibbles.shape[:-1], -1, 8) << shifts).sum(-1, dtype=np.uint32).view(np.int32)


def _quantise(weight: Array) -> tuple[NDArray[np.uint32], Array]:
    """Symmetric 4-bit numbers (offset 8) and one scale per `GROUP` inputs: [out, in], [out, in/GROUP]."""
    groups = weight.reshape(weight.shape[0], -1, GROUP)
    scale = np.abs(groups).max(-1) / 7
    numbers = np.clip(np.rint(groups / scale[..., None]), -8, 7) + 8
    return numbers.astype(np.uint32).reshape(weight.shape), scale


def _native_int4(name: str, weight: Array) -> dict[str, Stored]:
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


def _gptq_int4(name: str, weight: Array) -> dict[str, Stored]:
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


def _plain(name: str, weight: Array) -> dict[str, Stored]:
    if name.endswith("e_score_correction_bias"):
        return {name: ("F32", weight)}
    return {name: _bf16(weight)}


def _safetensors(tensors: Mapping[str, Stored]) -> bytes:
    """One file: 8 bytes of header length, the JSON header, the data (huggingface/safetensors README)."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, (dtype, array) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(a.tobytes() for _, a in tensors.values())


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _tokenizer() -> bytes:
    names = tokens()
    words = names[256:]
    added = [
        {
            "id": 256 + n,
            "content": w,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": w in SPECIAL and w not in ("<think>", "</think>"),
        }
        for n, w in enumerate(words)
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {t: n for n, t in enumerate(names[:256])},
        "merges": [],
    }
    return _json(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": added,
            "normalizer": None,
            "pre_tokenizer": byte_level,
            "post_processor": None,
            "decoder": byte_level,
            "model": model,
        }
    )


def _common_files() -> dict[str, bytes]:
    return {
        "tokenizer.json": _tokenizer(),
        "tokenizer_config.json": _json(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "bos_token": BOS,
                "eos_token": IM_END,
                "pad_token": "[PAD]",
                "model_max_length": CONFIG["max_position_embeddings"],
                "clean_up_tokenization_spaces": False,
            }
        ),
        "chat_template.jinja": CHAT_TEMPLATE.encode(),
        "generation_config.json": _json(
            {
                "eos_token_id": [CONFIG["eos_token_id"], tokens().index(EOS)],
                "max_length": CONFIG["max_position_embeddings"],
            }
        ),
    }


def build(
    repo: str, quantization: dict[str, Any] | None, store: Callable[[str, Array], dict[str, Stored]]
) -> Checkpoint:
    """Lay the weights out in three shards with an index, as published checkpoints are."""
    files = _common_files()
    files["config.json"] = _json(CONFIG | ({"quantization_config": quantization} if quantization else {}))
    stored: list[dict[str, Stored]] = [{}, {}, {}]
    for name, weight in _tensors().items():
        shard = 1 if name.startswith("model.layers.1.") else 2 if "layers" not in name else 0
        stored[shard].update(
            store(name, weight) if store is _plain or not name.endswith("bias") else _plain(name, weight)
        )
    weight_map: dict[str, str] = {}
    for n, shard_tensors in enumerate(stored, start=1):
        file = f"model-{n:05d}-of-{len(stored):05d}.safetensors"
        files[file] = _safetensors(shard_tensors)
        weight_map |= dict.fromkeys(shard_tensors, file)
    total = sum(array.nbytes for shard_tensors in stored for _, array in shard_tensors.values())
    files["model.safetensors.index.json"] = _json({"metadata": {"total_size": total}, "weight_map": weight_map})
    return Checkpoint(repo, files)


def checkpoints() -> tuple[Checkpoint, ...]:
    """The three repositories of the rehearsal's hub: bf16, Kimi's native INT4, and GPTQ INT4."""
    return (
        build("beachhead/tiny-k2", None, _plain),
        build("beachhead/tiny-k2-int4-native", NATIVE_INT4, _native_int4),
        build("beachhead/tiny-k2-int4-gptq", GPTQ_INT4, _gptq_int4),
    )
