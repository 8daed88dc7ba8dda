"""`beachhead fit --batch`: a table of memory questions, one answer a line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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
            yield {"id": row["id"], **_row(row, read_config(configs / row["config"]))}


def quantisation(row: Mapping[str, str], config: Mapping[str, Any]) -> str | None:
    """What to tell where config.json is the unquantised base's: the row's words, or its checkpoint's name."""
    text = config.get("text_config")
    declared = config.get("quantization_config") or (isinstance(text, dict) and text.get("quantization_config"))
    said = (row.get("weight_quant") or "").strip()
    if declared or not said or said.startswith("none"):
        return None
    if "fp8-dynamic" in (row.get("model") or "").lower():
        return "fp8-dynamic"
    return said


def _number(row: Mapping[str, str], column: str, kind: type[int] | type[float]) -> Any:
    text = (row.get(column) or "").strip()
    try:
        return kind(text) if text else None
    except ValueError:
        raise BadInput(
            f"{text[:60]!r} is not a number", where=f"row {row.get('id')}, column {column}", fix="mend the cell"
        ) from None


def _row(row: Mapping[str, str], config: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return answer(
            config,
            gpu=row["gpu"] or "",
            memory_gib=_number(row, "total_gpu_gib", float),
            gpus=_number(row, "gpu_count", int) or 1,
            tp=_number(row, "tp", int) or 1,
            pp=_number(row, "pp", int) or 1,
            dp=_number(row, "dp", int) or 1,
            dcp=_number(row, "dcp", int) or 1,
            ep=(row.get("ep") or "").strip().lower() in ("1", "true", "yes"),
            utilization=_number(row, "gpu_mem_util", float),
            context_tokens=_number(row, "max_model_len", int) or 2048,
            max_num_batched_tokens=_number(row, "max_num_batched_tokens", int),
            max_num_seqs=_number(row, "max_num_seqs", int),
            kv_dtype=(row.get("kv_dtype") or "auto").strip() or "auto",
            weight_quant=quantisation(row, config),
            vllm=(row.get("vllm_version") or NEWEST).strip(),
            mm_encoder="data" if config.get("vision_config") else "none",
        )
    except BadInput as fault:
        return {"verdict": "unsupported", "reasons": [fault.what], "sources": []}
