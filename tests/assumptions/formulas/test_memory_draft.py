"""Draft models: the Eagle3 head of Kimi K2.6, measured, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from assumptions.formulas.draft import draft_bytes, draft_kv_bytes
from assumptions.formulas.memory import UnsupportedConfig, draft_of, fit, kv_bytes_per_token_per_rank, read
from assumptions.formulas.weights import stage_bytes
from inventories.figures import FOLDER

GIB = 2**30
DATA = Path(__file__).parent / "data"
K26 = json.loads((FOLDER / "configs/kimi-k2.6.json").read_text())
# Shape as torchspec-project/TorchSpec@4643a09 configs/draft_models/kimi_k25_eagle3.json declares it.
LLAMA_HEAD: dict[str, Any] = {
    "architectures": ["LlamaForCausalLMEagle3"],
    "model_type": "llama",
    "head_dim": 128,
    "hidden_size": 7168,
    "intermediate_size": 12288,
    "max_position_embeddings": 262144,
    "num_attention_heads": 64,
    "num_hidden_layers": 1,
    "num_key_value_heads": 64,
    "vocab_size": 163840,
}
# A dense layer of Kimi K2's own latent attention; the published head's file was not found.
MLA_HEAD = {
    **K26["text_config"],
    "architectures": ["Eagle3DeepseekV2ForCausalLM"],
    "num_hidden_layers": 1,
    "n_routed_experts": None,
    "quantization_config": None,
}


@pytest.mark.parametrize("config", [LLAMA_HEAD, MLA_HEAD])
def test_an_eagle3_head_for_kimi_weighs_what_one_was_measured_to(config: dict[str, Any]) -> None:
    """71.92 GiB with, 71.16 without: 0.76 on each of 8 GPUs, of a head whose own file was not found."""
    assert draft_bytes(draft_of(config), tp=8) / GIB == pytest.approx(0.76, abs=0.05)


def test_its_bytes_by_hand() -> None:
    """qkv 14,336 x 24,576; o 8,192 x 7,168; MLP 3 x 7,168 x 12,288; head 163,840 x 7,168; each / 8; fc, norms whole."""
    divided = 14_336 * 24_576 + 8_192 * 7_168 + 3 * 7_168 * 12_288 + 163_840 * 7_168
    whole = 3 * 7_168 * 7_168 + 2 * 7_168
    assert draft_bytes(draft_of(LLAMA_HEAD), tp=8) == 2 * (divided // 8 + whole)
    embedding = 163_840 * 7_168 // 8 * 2
    assert draft_bytes(draft_of(LLAMA_HEAD), tp=8, pp=2) == 2 * (divided // 8 + whole) + embedding


def test_its_cache_is_not_divided_by_decode_context_parallelism() -> None:
    head = draft_of(MLA_HEAD)
    assert draft_kv_bytes(head, tp=8, kv_dtype="auto") == 576 * 2
    plain: dict[str, Any] = {"gpu_memory_gib": 139.8, "gpus": 8, "tp": 8, "context_tokens": 8192, "vllm": "0.33.0"}
    for dcp in (1, 8):
        found = fit(K26, **plain, dcp=dcp, draft=head)
        alone = kv_bytes_per_token_per_rank(read(K26), tp=8, dcp=dcp)
        assert found.kv_bytes_per_token_per_rank == alone + 1152
        assert found.verdict == "tight" and "draft" in found.unmeasured[0]
    assert "draft model" in {row.component for row in found.budget_table}


@pytest.mark.parametrize(("row", "dcp"), [("m256", 1), ("m258", 4), ("m260", 8)])
def test_logged_tokens_with_a_draft_lie_inside_the_range(row: str, dcp: int) -> None:
    with (DATA / "vllm_measurements.csv").open(newline="") as lines:
        raw = next(each for each in csv.DictReader(lines) if each["id"] == row)
    assert "Eagle3 MLA draft" in raw["notes"] and int(raw["dcp"]) == dcp
    found = fit(
        K26,
        gpu_memory_gib=94.97,
        gpus=8,
        tp=8,
        dcp=dcp,
        utilization=0.94,
        context_tokens=8192,
        kv_dtype="fp8",
        vllm=raw["vllm_version"],
        compute_capability=12.0,
        max_num_seqs=128,
        max_num_batched_tokens=8192,
        draft=draft_of(MLA_HEAD),
    )
    assert found.kv_tokens and found.kv_tokens.low <= int(raw["kv_tokens"]) <= found.kv_tokens.high


def test_a_whole_model_as_draft_is_loaded_like_one() -> None:
    config = json.loads((DATA / "configs/meta-llama--Meta-Llama-3.1-8B_config.json").read_text())
    assert draft_bytes(draft_of(config), tp=4) == stage_bytes(read(config), tp=4)[0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"architectures": ["MedusaModel"]}, "only Eagle3"),
        ({"architectures": ["EagleLlamaModel"]}, "only Eagle3"),
        ({"architectures": "Eagle3"}, "list of names"),
        ({"num_hidden_layers": 3}, "more than one dense layer"),
        ({"draft_vocab_size": -1}, "draft_vocab_size"),
        ({"model_type": "mamba"}, "model_type"),
    ],
)
def test_what_can_not_be_said(change: dict[str, Any], why: str) -> None:
    with pytest.raises(UnsupportedConfig, match=why):
        draft_of(LLAMA_HEAD | change)
