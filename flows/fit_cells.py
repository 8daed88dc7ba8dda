"""The cells of a table of memory questions, as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from inventories.errors import BadInput
from inventories.figures import gpus

Row = Mapping[str, str]
NOT_SAID = ("", "-", "?", "n/a", "none", "null", "auto", "default", "unknown", "not given", "not said")
YES = ("true", "yes", "on", "y")
SAME_GIB = 0.03  # between what CUDA reports of two cards of one kind
NAMED_OVER_GIB = (0.98, 1.09)  # the GB in a card's name over what CUDA reports: 80 and 79.18, 192 and 178.35
KV_NAMES = {"float8": "fp8", "fp8_e4m3fn": "fp8_e4m3", "half": "fp16"}
BORROWS = re.compile(r"kimi-k2-(thinking|instruct|base)", re.IGNORECASE)  # text only, and often lent K2.5's config


def number(row: Row, column: str, kind: type[int] | type[float]) -> Any:
    """The cell as a number: "~0.92", "8,192" and "0.9 (default)" too; None when it says nothing."""
    text = (row.get(column) or "").strip().lower()
    if text in NOT_SAID:
        return None
    found = re.fullmatch(r"~?\s*(\d[\d,_]*(?:\.\d+)?)\s*(?:\(.*\))?", text)
    value = float(re.sub("[,_]", "", found[1])) if found and len(text) < 100 else None
    if value is None or (kind is int and value != int(value)):
        raise BadInput(
            f"{text[:60]!r} is not a number", where=f"row {row.get('id')}, column {column}", fix="mend the cell"
        )
    return kind(value)


def expert_parallel(row: Row) -> bool:
    """Whether the cell asks for it: a yes, or how many ranks share the experts."""
    text = (row.get("ep") or "").strip().lower()
    return text in YES or (text.isdecimal() and int(text[:9]) > 0)


def kv_dtype(row: Row) -> str:
    """The cell as the engine's option: what stands before any remark, "auto" when it says nothing."""
    text = (row.get("kv_dtype") or "").strip().lower()
    if text in NOT_SAID:
        return "auto"
    word = text.split()[0].split("(")[0]
    return KV_NAMES.get(word, word)


def quantisation(row: Row, config: Mapping[str, Any]) -> str | None:
    """What to tell where config.json is the unquantised base's: the row's words, or its checkpoint's name."""
    text = config.get("text_config")
    declared = config.get("quantization_config") or (isinstance(text, dict) and text.get("quantization_config"))
    said = (row.get("weight_quant") or "").strip()
    name = (row.get("model") or "").lower()
    if declared or said.lower().startswith("none"):
        return None
    if "fp8-dynamic" in name:
        return "fp8-dynamic"
    if said.lower() in (*NOT_SAID, "compressed-tensors", "modelopt"):
        named = re.search(r"nvfp4|mxfp4|w4a16|gptq|awq|fp8", name)
        return named[0] if named else said or None
    return said


def encoder(row: Row, config: Mapping[str, Any]) -> str:
    """What becomes of the vision tower: vLLM divides it by default; Kimi K2.5 is served with it whole on each rank.

    vLLM 0.33 config/multimodal.py: mm_encoder_tp_mode is "weights"; the K2.5 recipe sets "data" (row m180), while K2.6
    logs 71.16 GiB on each of 8 H200, which leaves no room for a whole tower.
    """
    if not config.get("vision_config"):
        return "none"
    model, notes = row.get("model") or "", (row.get("notes") or "").lower()
    if BORROWS.search(model) or "language-model-only" in notes or "text only" in notes:
        return "none"
    return "data" if config.get("model_type") == "kimi_k25" and "k2.6" not in model.lower() else "weights"


def card(row: Row) -> str:
    """The catalog's name of the card, where its words and the memory that is told fit; else words of no card."""
    text = (row.get("gpu") or "").strip()
    words = re.sub(r"[^a-z0-9]+", "-", text.lower())
    named = re.search(r"(\d{2,3})-?gi?b(-|$)", words)
    told = number(row, "total_gpu_gib", float)
    for key in sorted(gpus(), key=len, reverse=True):
        stem = re.sub(r"-\d+gb$", "", key)
        if re.search(rf"(^|-){stem}(-|$)", words) and _fits(key, told, int(named[1]) if named else None):
            return key
    return f"unlisted {text}"


def _fits(key: str, told_gib: float | None, named_gb: int | None) -> bool:
    known = gpus()[key].memory_gib
    if known is None or (told_gib is None and named_gb is None):
        return known is not None and not key.endswith("gb")  # "A100" alone may be either of two
    if told_gib is not None:
        return abs(told_gib / known.value - 1) <= SAME_GIB
    return NAMED_OVER_GIB[0] <= (named_gb or 0) / known.value <= NAMED_OVER_GIB[1]
