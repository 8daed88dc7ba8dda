"""Weights read from the headers of safetensors files: name, number format and shape of each tensor, nothing more."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from assumptions.formulas.architecture import Architecture
from assumptions.formulas.shapes import UnsupportedConfig
from assumptions.formulas.stored import Part, Stored, bytes_of, gathered, stored_by

# Patterns stand uncompiled: re compiles them at first use, and most questions never need them.
VISION = r"vision_(tower|model|embed)|(^|\.)visual\.|mm_projector|multi_modal_projector|vit\.|patch_merger"
LAYER = r"(?:^|\.)(?:layers|h|blocks)\.(\d{1,6})\."
EXPERT = r"\.experts\.(\d{1,6})\."
FUSED = r"\.experts\.[a-z_]+"  # all experts of a layer in one tensor
WHOLE = (
    r"norm|q_a_proj|kv_a_proj|indexer|router|mlp\.gate\.|block_sparse_moe\.gate\.|e_score_correction_bias|weight_shape"
    r"|o_proj\.bias|input_scale|rotary|inv_freq"
)
KEY_VALUE = r"\.[kv]_proj\."
AGREES = 0.01  # share of the bytes within which headers and config.json say the same


def stored_in(sizes: Mapping[str, int], arch: Architecture) -> Stored:
    """What the tensors of `sizes` (bytes by name) hold, by name pattern; UnsupportedConfig where layers are missing."""
    layers: dict[int, dict[str, int]] = defaultdict(dict)
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    vision = draft = 0
    for name, size in sizes.items():
        number = re.search(LAYER, name)
        if re.search(VISION, name):
            vision += size
        elif name.startswith("mtp.") or (number and int(number[1]) >= arch.layers):
            draft += size
        elif number:
            layers[int(number[1])][name] = size
        else:
            (first if "embed" in name or "wte" in name else last)[name] = size
    missing = [layer for layer in range(arch.layers) if layer not in layers]
    if missing:
        raise UnsupportedConfig(
            f"the headers hold {len(layers)} decoder layers and config.json declares {arch.layers}; "
            f"layer {missing[0]} is not there"
        )
    before = _part(first, arch)
    return Stored(
        first=before,
        layers=tuple(_part(layers[layer], arch) for layer in range(arch.layers)),
        last=_part(last, arch),
        tied=before if arch.tied else (),
        vision_bytes=vision,
        draft_bytes=draft,
    )


def _part(sizes: Mapping[str, int], arch: Architecture) -> Part:
    return gathered(_lots(sizes, arch))


def _lots(sizes: Mapping[str, int], arch: Architecture) -> Iterator[tuple[str, int, int]]:
    """(split, bytes, copies): a layer's experts of one kind together, as tensor and expert parallelism divide them."""
    together: dict[str, list[int]] = defaultdict(list)
    for name, size in sizes.items():
        if re.search(EXPERT, name):
            together[re.sub(EXPERT, ".experts.*.", name)].append(size)
        elif re.search(FUSED, name):
            yield "expert", size, arch.moe.experts if arch.moe else 1
        elif re.search(WHOLE, name):
            yield "whole", size, 1
        elif re.search(KEY_VALUE, name) and not arch.mla:
            yield "kv", size, 1
        else:
            yield "tp", size, 1
    for each in together.values():
        yield "expert", sum(each), len(each)


def differences(stored: Stored, arch: Architecture, weight_quant: str | None = None) -> tuple[str, ...]:
    """Where headers and config.json disagree by more than 1 %, in sentences; the headers are what is loaded."""
    try:
        told = stored_by(arch, weight_quant)
    except UnsupportedConfig as refusal:
        return (f"config.json alone could not say it: {refusal}",)
    pairs: list[tuple[str, int, int | None]] = [
        ("the decoder", stored.text_bytes, told.text_bytes),
        ("its routed experts", _experts(stored), _experts(told)),
        ("the vision tower", stored.vision_bytes or 0, told.vision_bytes),
    ]
    return tuple(
        f"the headers hold {read:,} bytes for {what}, config.json gives {known:,} "
        f"({(read - known) / max(known, 1):+.1%}); the headers count"
        for what, read, known in pairs
        if known is not None and abs(read - known) > AGREES * max(known, read)
    )


def _experts(stored: Stored) -> int:
    return sum(bytes_of(tuple(lot for lot in layer if lot.split == "expert")) for layer in stored.layers)
