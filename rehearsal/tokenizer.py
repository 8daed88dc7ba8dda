"""The files beside the weights: tokenizer, chat template and generation settings."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.vocabulary import BOS, EOS, IM_END, SPECIAL, tokens
from rehearsal.weights import CONFIG

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


def json_bytes(value: object) -> bytes:
    """One JSON file, indented by one space, ending with a newline."""
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
    model: dict[str, Any] = {
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
    return json_bytes(
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


def common_files() -> dict[str, bytes]:
    """The files that every variant of the checkpoint shares."""
    return {
        "tokenizer.json": _tokenizer(),
        "tokenizer_config.json": json_bytes(
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
        "generation_config.json": json_bytes(
            {
                "eos_token_id": [CONFIG["eos_token_id"], tokens().index(EOS)],
                "max_length": CONFIG["max_position_embeddings"],
            }
        ),
    }
