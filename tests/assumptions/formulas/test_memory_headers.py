"""Weights from safetensors headers: real files of Kimi K2's layout, and Kimi K2.5's own 208,217 names."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from assumptions.formulas.memory import (
    Architecture,
    UnsupportedConfig,
    checkpoint_bytes,
    differences,
    fit,
    read,
    stored_in,
)
from assumptions.formulas.quantization import quantization
from assumptions.formulas.tensors import text_tensors
from assumptions.formulas.weights import split_bytes
from inventories.figures import FOLDER
from rehearsal.checkpoint import Checkpoint, checkpoints

K25 = read(json.loads((FOLDER / "configs/kimi-k2.5.json").read_text()))
LLAMA = read(json.loads((Path(__file__).parent / "data/configs/meta-llama--Meta-Llama-3.1-8B_config.json").read_text()))


@cache
def names_of(arch: Architecture, prefix: str = "") -> dict[str, int]:
    """The bytes of each tensor under the names that its checkpoint gives them."""
    scheme, sizes = quantization(arch.quantization), {}
    for tensor in text_tensors(arch):
        each = scheme.bytes_of(tensor) // tensor.copies
        for number in range(tensor.copies):
            name = prefix + tensor.name.replace(".experts.0.", f".experts.{number}.")
            if tensor.copies == 1:
                sizes[name + ".weight"] = each
            else:  # packed numbers, scales, and the shape as two int32
                sizes |= {name + ".weight_packed": (each - 8) * 8 // 9, name + ".weight_scale": (each - 8) // 9}
                sizes[name + ".weight_shape"] = 8
    return sizes


def sizes_in(checkpoint: Checkpoint) -> dict[str, int]:
    found = {}
    for name, body in checkpoint.files.items():
        if name.endswith(".safetensors"):
            length = int.from_bytes(body[:8], "little")
            header = json.loads(body[8 : 8 + length])
            header.pop("__metadata__")
            for tensor, told in header.items():
                found[tensor] = told["data_offsets"][1] - told["data_offsets"][0]
    return found


@pytest.mark.parametrize("checkpoint", checkpoints()[:2], ids=lambda each: each.repo)
def test_real_files_and_the_config_agree_to_the_byte(checkpoint: Checkpoint) -> None:
    arch = read(json.loads(checkpoint.files["config.json"]))
    stored = stored_in(sizes_in(checkpoint), arch)
    assert stored.total_bytes == checkpoint_bytes(arch)
    assert split_bytes(arch, tp=1, stored=stored) == split_bytes(arch, tp=1)
    assert differences(stored, arch) == ()


def test_kimi_k25_by_its_tensors_names_is_what_its_config_says() -> None:
    sizes = names_of(K25, "language_model.") | {
        "vision_tower.encoder.blocks.0.wqkv.weight": 416_866_032 * 2,
        "mm_projector.linear_1.weight": 54_277_888 * 2,
    }
    stored = stored_in(sizes, K25)
    assert stored.total_bytes == 595_148_192_736
    for tp in (1, 8, 16):
        mine, told = (split_bytes(K25, tp=tp, mm_encoder="data", stored=source)[0] for source in (stored, None))
        assert mine == told
    ep, told_ep = (split_bytes(K25, tp=1, dp=8, ep=True, stored=source)[0] for source in (stored, None))
    assert ep == told_ep
    answer = fit(K25, gpu_memory_gib=139.8, gpus=8, tp=8, context_tokens=8192, vllm="0.33.0", stored=stored)
    assert round(answer.weights_gib_per_gpu or 0, 2) == 70.95
    assert "headers" in answer.sources[0]
    assert {row.basis for row in answer.budget_table if row.component == "routed experts"} == {
        "read from the files' headers"
    }


def test_grouped_heads_are_told_apart_by_name() -> None:
    stored = stored_in(names_of(LLAMA), LLAMA)
    for tp in (1, 8, 16):  # 8 key/value heads: at 16 they are no longer divided
        assert split_bytes(LLAMA, tp=tp, stored=stored)[0] == split_bytes(LLAMA, tp=tp)[0]


def test_layers_beyond_the_models_own_are_a_draft_and_not_loaded() -> None:
    sizes = names_of(LLAMA) | {"model.layers.32.mlp.up_proj.weight": 1000, "mtp.fc.weight": 24}
    stored = stored_in(sizes, LLAMA)
    assert stored.draft_bytes == 1024
    assert split_bytes(LLAMA, tp=1, stored=stored) == split_bytes(LLAMA, tp=1)


def test_missing_layers_are_refused() -> None:
    sizes = {name: size for name, size in names_of(LLAMA).items() if ".layers.31." not in name}
    with pytest.raises(UnsupportedConfig, match=r"31 decoder layers and config\.json declares 32"):
        stored_in(sizes, LLAMA)
    with pytest.raises(UnsupportedConfig):
        stored_in({}, LLAMA)


@pytest.mark.parametrize(("share", "said"), [(1.005, False), (1.02, True), (0.97, True)])
def test_more_than_one_per_cent_apart_is_said(share: float, said: bool) -> None:
    sizes = {name: int(size * share) for name, size in names_of(LLAMA).items()}
    assert bool(differences(stored_in(sizes, LLAMA), LLAMA)) is said


def test_headers_answer_where_the_config_names_an_unknown_number_format() -> None:
    config: dict[str, Any] = json.loads(
        (Path(__file__).parent / "data/configs/meta-llama--Meta-Llama-3.1-8B_config.json").read_text()
    ) | {"quantization_config": {"quant_method": "quark"}}
    plain: dict[str, Any] = {"gpu_memory_gib": 79.18, "gpus": 1, "tp": 1, "context_tokens": 8192, "vllm": "0.33.0"}
    assert fit(config, **plain).verdict == "unsupported"
    stored = stored_in(names_of(LLAMA), read(config))
    assert fit(config, **plain, stored=stored).weights_gib_per_gpu == pytest.approx(14.96, abs=0.01)
    assert "config.json alone could not say it" in differences(stored, read(config))[0]
