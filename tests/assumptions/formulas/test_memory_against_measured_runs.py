"""The memory model beside public vLLM logs: data/vllm_measurements.csv, whose columns say where each row is from."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from assumptions.formulas.memory import Fit, fit

DATA = Path(__file__).parent / "data"
# Compute capability and memory as CUDA reports it of the cards in the table.
CARDS = {
    "H200-141GB": (9.0, 139.80),
    "H100-80GB": (9.0, 79.18),
    "RTX-PRO-6000-96GB": (12.0, 94.97),
    "RTX-3090-24GB": (8.6, 23.58),
}
# The log's own configuration is the base model's; these checkpoints are quantised as their names say.
STORED = {"RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic": "fp8-dynamic"}
# K2.5 was loaded with its vision tower, whole on each rank.
ENCODER = {"moonshotai/Kimi-K2.5": "data"}


@dataclass(frozen=True)
class Row:
    raw: dict[str, str]
    answer: Fit

    @property
    def name(self) -> str:
        return f"{self.raw['id']} {self.raw['model']} {self.raw['vllm_version']}"

    def number(self, column: str) -> float | None:
        return float(self.raw[column]) if self.raw[column] else None


def ask(raw: dict[str, str], **change: Any) -> Fit:
    capability, memory = CARDS[raw["gpu"]]
    arguments: dict[str, Any] = {
        "gpu_memory_gib": float(raw["total_gpu_gib"] or memory),
        "gpus": int(raw["gpu_count"]),
        **{key: int(raw[key] or 1) for key in ("tp", "pp", "dp", "dcp")},
        "utilization": float(raw["gpu_mem_util"]) if raw["gpu_mem_util"] else None,
        "context_tokens": int(raw["max_model_len"] or 2048),
        "kv_dtype": raw["kv_dtype"],
        "weight_quant": STORED.get(raw["model"]),
        "vllm": raw["vllm_version"],
        "compute_capability": capability,
        "mm_encoder": ENCODER.get(raw["model"], "none"),
        "max_num_seqs": int(raw["max_num_seqs"]) if raw["max_num_seqs"] else None,
        "max_num_batched_tokens": int(raw["max_num_batched_tokens"]) if raw["max_num_batched_tokens"] else None,
    }
    config = json.loads((DATA / "configs" / raw["config"]).read_text())
    return fit(config, **(arguments | change))


@cache
def rows() -> tuple[Row, ...]:
    with (DATA / "vllm_measurements.csv").open(newline="") as lines:
        known = [raw for raw in csv.DictReader(lines) if raw["config"] and raw["gpu"] in CARDS]
    return tuple(Row(raw, ask(raw)) for raw in known)


@cache
def scored() -> tuple[Row, ...]:
    """One ok row for each group and version, the first."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows():
        if row.raw["outcome"] == "ok":
            first.setdefault((row.raw["group"], row.raw["vllm_version"]), row)
    return tuple(first.values())


def with_measured(column: str) -> list[tuple[Row, float]]:
    return [(row, value) for row in scored() if (value := row.number(column)) is not None]


def test_the_table_holds_enough_rows_to_mean_something() -> None:
    assert len(with_measured("model_load_gib_per_gpu")) >= 20
    assert len(with_measured("available_kv_gib_per_gpu")) >= 20


def test_at_most_a_quarter_of_the_rows_is_refused() -> None:
    refused = [row.name for row in rows() if row.answer.verdict == "unsupported"]
    assert len(refused) <= len(rows()) / 4, refused


def test_weights_are_within_one_per_cent_on_average() -> None:
    errors = {
        row.name: abs(row.answer.weights_gib_per_gpu / load - 1)
        for row, load in with_measured("model_load_gib_per_gpu")
        if row.answer.weights_gib_per_gpu
    }
    assert mean(errors.values()) <= 0.01, errors
    assert max(errors.values()) <= 0.015, errors


def test_measured_kv_lies_inside_the_range_for_nine_in_ten() -> None:
    pairs = [(row, gib) for row, gib in with_measured("available_kv_gib_per_gpu") if row.answer.kv_gib_per_gpu]
    outside = [
        f"{row.name}: {gib} not in {row.answer.kv_gib_per_gpu}"
        for row, gib in pairs
        if row.answer.kv_gib_per_gpu and not row.answer.kv_gib_per_gpu.low <= gib <= row.answer.kv_gib_per_gpu.high
    ]
    assert len(outside) <= 0.1 * len(pairs), outside


def test_the_range_is_narrow_enough_to_be_of_use() -> None:
    widths = [
        row.answer.kv_gib_per_gpu.width
        for row, _ in with_measured("available_kv_gib_per_gpu")
        if row.answer.kv_gib_per_gpu
    ]
    assert mean(widths) <= 6.0, widths


def test_kv_bytes_per_token_are_within_half_a_per_cent() -> None:
    """Mean over the rows that log both figures.  0.20.0 derives its token count otherwise (vllm#51041): 2.2 % on R1."""
    errors = {
        row.name: abs(row.answer.kv_bytes_per_token_per_rank / (gib * 2**30 / tokens) - 1)
        for row, gib in with_measured("available_kv_gib_per_gpu")
        if row.answer.kv_bytes_per_token_per_rank and (tokens := row.number("kv_tokens"))
    }
    assert mean(errors.values()) <= 0.005, errors
    assert sum(error <= 0.005 for error in errors.values()) >= 0.9 * len(errors), errors


@pytest.mark.parametrize("row", [row for row in rows() if "FAIL" in row.raw["outcome"]], ids=lambda row: row.raw["id"])
def test_no_run_that_failed_is_said_to_fit(row: Row) -> None:
    assert row.answer.verdict in ("tight", "does-not-fit"), row.answer


def test_small_batches_without_draft_model_on_a_build_that_names_no_release() -> None:
    """m257 and m262: Kimi K2.6 on RTX PRO 6000, 128 requests; KV GiB = tokens x 35,136 bytes."""
    for row in rows():
        if row.raw["id"] in ("m257", "m262"):
            measured = int(row.raw["kv_tokens"]) * 35_136 / 2**30
            room = row.answer.kv_gib_per_gpu
            assert room and room.low <= measured <= room.high, row.answer


@pytest.mark.parametrize(("utilization", "left"), [(0.95, 0.64), (0.90, -3.32)])
def test_kimi_k25_on_eight_h100_as_one_report_logged_it(utilization: float, left: float) -> None:
    """vLLM 0.15.0, TP8, 64 requests, vision tower on each rank: not a row of the table."""
    config = json.loads((DATA / "configs/moonshotai--Kimi-K2.5_config.json").read_text())
    answer = fit(
        config,
        gpu_memory_gib=79.18,
        gpus=8,
        tp=8,
        utilization=utilization,
        context_tokens=16_384,
        vllm="0.15.0",
        compute_capability=9.0,
        mm_encoder="data",
        max_num_seqs=64,
        max_num_batched_tokens=8192,
    )
    assert answer.kv_gib_per_gpu and answer.kv_gib_per_gpu.low <= left <= answer.kv_gib_per_gpu.high
    assert answer.verdict != "fits"  # 16,384 tokens were refused: 1.07 GiB needed
