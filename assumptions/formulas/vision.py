"""Parameters of the vision tower, where its config says enough: Kimi K2.5, Qwen3-VL, Mistral Small's Pixtral."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assumptions.formulas.shapes import UnsupportedConfig, whole

RGB = 3
QWEN3_VL = ("qwen3_vl", "qwen3_vl_moe")
QWEN3_VL_TOKENS = 16_384  # of one image: 16,777,216 pixels (its preprocessor's longest_edge) in squares of 32 x 32
MERGED = 4  # Mistral Small 3.1 merges 2 x 2 patches (spatial_merge_size, outside the tower's own config)


def vision_params(vision: Mapping[str, Any] | None, text_hidden: int) -> int | None:
    """Tower plus projector; 0 without a tower, None when it is of a kind not known here.

    Kimi K2.5: 416,866,032 + 54,277,888 = 471,143,920 parameters; in bf16
    equal to K2.6's published shards 63 and 64 less headers.
    """
    if vision is None:
        return 0
    if vision.get("model_type") in QWEN3_VL:
        return _qwen3_vl(vision)
    if vision.get("model_type") == "pixtral":
        return _pixtral(vision, text_hidden)
    if vision.get("vt_hidden_size") is None or vision.get("mm_projector_type") != "patchmerger":
        return None
    return _tower(vision) + _projector(vision, text_hidden)


def vision_output_bytes(vision: Mapping[str, Any] | None, text_hidden: int) -> int:
    """Bytes that the largest image leaves for the decoder, in bf16; 0 for a tower whose limit is not known here."""
    if vision is None or vision.get("model_type") not in QWEN3_VL:
        return 0
    indexes = vision.get("deepstack_visual_indexes")
    kept = 1 + (len(indexes) if isinstance(indexes, list | tuple) else 0)
    return QWEN3_VL_TOKENS * kept * text_hidden * 2


def _tower(vision: Mapping[str, Any]) -> int:
    hidden, inner = whole(vision, "vt_hidden_size"), whole(vision, "vt_intermediate_size")
    patch = whole(vision, "patch_size")
    position = whole(vision, "init_pos_emb_height") * whole(vision, "init_pos_emb_width") * hidden
    embed = RGB * patch * patch * hidden + hidden + position
    attention = hidden * 3 * hidden + 3 * hidden + hidden * hidden + hidden
    mlp = hidden * inner + inner + inner * hidden + hidden
    return embed + whole(vision, "vt_num_hidden_layers") * (attention + mlp + 4 * hidden) + 2 * hidden


def _projector(vision: Mapping[str, Any], text_hidden: int) -> int:
    hidden, merge = whole(vision, "mm_hidden_size"), vision.get("merge_kernel_size")
    if not isinstance(merge, list | tuple) or len(merge) != 2:
        raise UnsupportedConfig("merge_kernel_size is not a pair of whole numbers")
    sides = {"rows": merge[0], "columns": merge[1]}
    wide = hidden * whole(sides, "rows") * whole(sides, "columns")
    return 2 * hidden + wide * wide + wide + wide * text_hidden + text_hidden


def _qwen3_vl(vision: Mapping[str, Any]) -> int:
    """Qwen3-VL: embedding, blocks, and a merger that stands once at the end and once for each deep-stack index.

    Qwen3-VL-30B-A3B: 538,631,408 parameters; with the text 31,070,754,032, and 31.07 B are published.
    """
    hidden, inner, patch = whole(vision, "hidden_size"), whole(vision, "intermediate_size"), whole(vision, "patch_size")
    indexes, channels = vision.get("deepstack_visual_indexes"), whole(vision, "in_channels", RGB)
    if not isinstance(indexes, list | tuple):
        raise UnsupportedConfig("deepstack_visual_indexes is not a list")
    embed = channels * whole(vision, "temporal_patch_size") * patch * patch * hidden + hidden
    embed += whole(vision, "num_position_embeddings") * hidden
    attention = hidden * 3 * hidden + 3 * hidden + hidden * hidden + hidden
    mlp = hidden * inner + inner + inner * hidden + hidden
    wide = hidden * whole(vision, "spatial_merge_size") ** 2
    merger = wide * wide + wide + wide * whole(vision, "out_hidden_size") + whole(vision, "out_hidden_size")
    norms = 2 * hidden + len(indexes) * 2 * wide  # the last merger norms before it merges, the others after
    return embed + whole(vision, "depth") * (attention + mlp + 4 * hidden) + (1 + len(indexes)) * merger + norms


def _pixtral(vision: Mapping[str, Any], text_hidden: int) -> int:
    """Pixtral's tower without biases, and Mistral Small 3.1's projector: norm, patch merger, two matrices."""
    hidden, inner, patch = whole(vision, "hidden_size"), whole(vision, "intermediate_size"), whole(vision, "patch_size")
    embed = whole(vision, "num_channels", RGB) * patch * patch * hidden + hidden
    block = 4 * hidden * hidden + 3 * hidden * inner + 2 * hidden
    projector = hidden + MERGED * hidden * hidden + hidden * text_hidden + text_hidden * text_hidden
    return embed + whole(vision, "num_hidden_layers") * block + projector
