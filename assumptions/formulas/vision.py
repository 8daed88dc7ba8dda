"""Parameters of the vision tower, where its config says enough: MoonViT with Kimi K2.5's patch merger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assumptions.formulas.shapes import UnsupportedConfig, whole

RGB = 3


def vision_params(vision: Mapping[str, Any] | None, text_hidden: int) -> int | None:
    """Tower plus projector; 0 without a tower, None when it is of a kind not known here.

    Kimi K2.5: 416,866,032 + 54,277,888 = 471,143,920 parameters; in bf16
    equal to K2.6's published shards 63 and 64 less headers.
    """
    if vision is None:
        return 0
    if vision.get("vt_hidden_size") is None or vision.get("mm_projector_type") != "patchmerger":
        return None
    return _tower(vision) + _projector(vision, text_hidden)


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
