"""`beachhead fit --batch`: a table of memory questions, one answer a line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows import fit_cells as cells
from flows.fit import NEWEST, answer
from flows.fit_inputs import read_config
from inventories.errors import BadInput

COLUMNS = ("id", "gpu", "gpu_count", "tp", "config")


def batch(table: Path, configs: Path) -> Iterator[dict[str, Any]]:
    """One object a row of the table, with its id; a row without a config is skipped, and says so."""
    try:
        with table.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"can't read it: {error}", where=str(table), fix="name a CSV file") from None
    if rows and (missing := [name for name in COLUMNS if name not in rows[0]]):
        raise BadInput(f"columns are missing: {', '.join(missing)}", where=str(table), fix="see docs/reference")
    for row in rows:
        if not row["config"]:
            yield {"id": row["id"], "skipped": "the row names no config"}
        elif not (configs / row["config"]).is_file():
            yield {"id": row["id"], "skipped": f"{row['config']} is not in {configs}"}
        else:
            yield {"id": row["id"], **_answered(row, _config(configs / row["config"]))}


def _answered(row: cells.Row, config: Mapping[str, Any]) -> dict[str, Any]:
    try:
        tp, pp, dp, dcp = (cells.number(row, column, int) or 1 for column in ("tp", "pp", "dp", "dcp"))
        return answer(
            config,
            gpu=cells.card(row),
            memory_gib=cells.number(row, "total_gpu_gib", float),
            gpus=max(cells.number(row, "gpu_count", int) or 1, tp * pp * dp),
            tp=tp,
            pp=pp,
            dp=dp,
            dcp=dcp,
            ep=cells.expert_parallel(row),
            utilization=cells.number(row, "gpu_mem_util", float),
            context_tokens=cells.number(row, "max_model_len", int) or 2048,
            max_num_batched_tokens=cells.number(row, "max_num_batched_tokens", int),
            max_num_seqs=cells.number(row, "max_num_seqs", int),
            kv_dtype=cells.kv_dtype(row),
            weight_quant=cells.quantisation(row, config),
            vllm=(row.get("vllm_version") or NEWEST).strip(),
            mm_encoder=cells.encoder(row, config),
        )
    except BadInput as fault:
        return {"verdict": "unsupported", "reasons": [fault.what], "sources": []}


def _config(path: Path) -> dict[str, Any]:
    """config.json, with what ModelOpt wrote beside it (NAME_hf_quant_config.json) where it says no quantisation."""
    config = read_config(path)
    beside = path.with_name(path.name.removesuffix("_config.json") + "_hf_quant_config.json")
    text = config.get("text_config")
    declared = config.get("quantization_config") or (isinstance(text, dict) and text.get("quantization_config"))
    if declared or not beside.is_file():
        return config
    told = read_config(beside).get("quantization")
    return {**config, "quantization_config": {"quant_method": "modelopt", **told}} if isinstance(told, dict) else config
