"""Cells of a table of memory questions, as people write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows import fit_cells as cells
from flows.fit_batch import batch
from inventories.errors import BadInput

DATA = Path(__file__).parents[1] / "assumptions/formulas/data"
LLAMA = "meta-llama--Meta-Llama-3.1-8B_config.json"
K25: dict[str, Any] = {"model_type": "kimi_k25", "vision_config": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.92", 0.92),
        ("~0.9", 0.9),
        (" 0.90 (default)", 0.9),
        ("8,192", 8192.0),
        ("", None),
        ("default", None),
        ("?", None),
    ],
)
def test_numbers(text: str, value: float | None) -> None:
    assert cells.number({"gpu_mem_util": text}, "gpu_mem_util", float) == value


@pytest.mark.parametrize("text", ["many", "0.9.1", "1.5e", "-3", "9" * 200])
def test_what_is_no_number_is_one_error(text: str) -> None:
    with pytest.raises(BadInput, match="is not a number"):
        cells.number({"id": "r", "tp": text}, "tp", float)


def test_a_fraction_is_no_count() -> None:
    with pytest.raises(BadInput):
        cells.number({"tp": "2.5"}, "tp", int)
    assert cells.number({"tp": "8.0"}, "tp", int) == 8


@pytest.mark.parametrize(
    ("text", "said"), [("true", True), ("8", True), ("Yes", True), ("", False), ("0", False), ("no", False)]
)
def test_expert_parallelism(text: str, said: bool) -> None:
    assert cells.expert_parallel({"ep": text}) is said


@pytest.mark.parametrize(
    ("text", "named"),
    [("", "auto"), ("FP8", "fp8"), ("fp8_ds_mla", "fp8_ds_mla"), ("fp8 (e4m3)", "fp8"), ("fp8_e4m3", "fp8_e4m3")],
)
def test_cache_formats(text: str, named: str) -> None:
    assert cells.kv_dtype({"kv_dtype": text}) == named


@pytest.mark.parametrize(
    ("text", "total", "named"),
    [
        ("H200-141GB", "", "h200"),
        ("NVIDIA H200", "", "h200"),
        ("NVIDIA H100 80GB HBM3", "", "h100-80gb"),
        ("A100-SXM4-80GB", "", "a100-80gb"),
        ("RTX PRO 6000 Blackwell", "", "rtx-pro-6000"),
        ("RTX-PRO-6000-96GB", "", "rtx-pro-6000"),
        ("B200-180GB", "", "b200"),
        ("B200-192GB", "178.35", "b200"),
        ("H100", "79.18", "h100-80gb"),
        ("H100", "", "unlisted H100"),  # 80 or 94 GB: not said
        ("H100-94GB", "", "unlisted H100-94GB"),
        ("A100-40GB", "39.49", "unlisted A100-40GB"),
        ("GH200-96GB", "", "unlisted GH200-96GB"),
        ("RTX-5070Ti-16GB + RTX-5090D-32GB", "", "unlisted RTX-5070Ti-16GB + RTX-5090D-32GB"),
    ],
)
def test_cards(text: str, total: str, named: str) -> None:
    assert cells.card({"gpu": text, "total_gpu_gib": total}) == named


@pytest.mark.parametrize(
    ("model", "config", "what"),
    [
        ("moonshotai/Kimi-K2.5", K25, "data"),
        ("moonshotai/Kimi-K2.6", K25, "weights"),
        ("moonshotai/Kimi-K2-Thinking", K25, "none"),
        ("Qwen/Qwen3-VL-30B", {"model_type": "qwen3_vl_moe", "vision_config": {"a": 1}}, "weights"),
        ("meta-llama/Llama", {"model_type": "llama"}, "none"),
    ],
)
def test_vision_towers(model: str, config: dict[str, Any], what: str) -> None:
    assert cells.encoder({"model": model}, config) == what
    assert cells.encoder({"model": model, "notes": "--language-model-only"}, config) == "none"


@pytest.mark.parametrize(
    ("model", "said", "told"),
    [
        ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "compressed-tensors", "fp8-dynamic"),
        ("RedHatAI/Qwen3-8B-quantized.w4a16", "compressed-tensors", "w4a16"),
        ("nvidia/Llama-NVFP4", "modelopt", "nvfp4"),
        ("Qwen/Qwen3-8B", "none(bf16)", None),
        ("Qwen/Qwen3-8B", "", None),
        ("Qwen/Qwen3-8B", "fp8 block", "fp8 block"),
    ],
)
def test_quantisations(model: str, said: str, told: str | None) -> None:
    assert cells.quantisation({"model": model, "weight_quant": said}, {}) == told
    assert cells.quantisation({"model": model, "weight_quant": said}, {"quantization_config": {"a": 1}}) is None


def answers(tmp_path: Path, **row: str) -> dict[str, Any]:
    columns = {"id": "r", "gpu": "H200-141GB", "gpu_count": "8", "tp": "8", "config": LLAMA} | row
    table = tmp_path / "rows.csv"
    table.write_text(",".join(columns) + "\n" + ",".join(columns.values()) + "\n")
    return next(batch(table, tmp_path if (tmp_path / columns["config"]).exists() else DATA / "configs"))


def test_an_unlisted_card_needs_its_memory(tmp_path: Path) -> None:
    assert answers(tmp_path, gpu="Tesla X")["verdict"] == "unsupported"
    told = answers(tmp_path, gpu="Tesla X", total_gpu_gib="100")
    assert told["verdict"] == "fits" and told["budget_gib"] == pytest.approx(92)


def test_data_parallel_ranks_count_as_cards(tmp_path: Path) -> None:
    found = answers(tmp_path, config="MiniMaxAI--MiniMax-M2.5_config.json", gpu_count="1", tp="", dp="8", ep="8")
    assert found["verdict"] == "fits"


def test_what_modelopt_wrote_beside_the_config_counts(tmp_path: Path) -> None:
    config = json.loads((DATA / "configs" / LLAMA).read_text())
    (tmp_path / "x_config.json").write_text(json.dumps(config))
    plain = answers(tmp_path, config="x_config.json", kv_dtype="bf16")
    told = {"quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]}}
    (tmp_path / "x_hf_quant_config.json").write_text(json.dumps(told))
    halved = answers(tmp_path, config="x_config.json", kv_dtype="bf16")
    assert 0.5 < halved["weights_gib_per_gpu"] / plain["weights_gib_per_gpu"] < 0.6
    assert answers(tmp_path, config="x_config.json", vllm_version="0.19.0")["kv_bytes_per_token_per_rank"] == 32 * 256
