"""`beachhead fit`: one memory question, or a table of them, from configuration alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assumptions.formulas.memory import Fit, UnsupportedConfig, checkpoint_bytes, fit, read
from inventories.errors import BadInput
from inventories.figures import Gpu, gpus

GIB = 2**30
SPARE_GIB = 10.0  # huggingface_hub fetches a broken-off shard anew beside the old part
NEWEST = "0.33.0"
COLUMNS = ("id", "gpu", "gpu_count", "tp", "config")
NO_HOST_RAM = "host RAM: no measured rule for this engine and checkpoint; measure it on the host"


def card(name: str) -> Gpu | None:
    """The catalog's card of that name: its id, or a name that begins with one (H200-141GB)."""
    wanted = name.lower()
    found = [each for key, each in gpus().items() if wanted == key or wanted.startswith(key + "-")]
    return max(found, key=lambda each: len(each.id), default=None)


def read_config(path: Path) -> dict[str, Any]:
    """A model's config.json."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(
            f"can't read it: {error.strerror}", where=str(path), fix="name the model's config.json"
        ) from None
    except ValueError as error:
        raise BadInput(f"not JSON: {error}", where=str(path), fix="name the model's own config.json") from None
    if not isinstance(value, dict):
        raise BadInput("not a JSON object", where=str(path), fix="name the model's own config.json")
    return value


def answer(
    config: Mapping[str, Any], *, gpu: str, memory_gib: float | None, stored: int | None, **ask: Any
) -> dict[str, Any]:
    """The object that is printed.  GiB per GPU; bytes per token on each rank; null where nothing can be said."""
    known = card(gpu)
    if memory_gib is None and known is None:
        raise BadInput(
            f"GPU {gpu!r} is not in the catalog",
            where="--gpu",
            fix=f"one of {', '.join(sorted(gpus()))}, or --gpu-memory-gib",
        )
    capability = known.compute_capability.value if known and known.compute_capability else None
    memory = memory_gib if memory_gib is not None else known.memory_gib.value if known else 0.0
    try:
        found = fit(config, gpu_memory_gib=memory, compute_capability=capability, **ask)
    except UnsupportedConfig as error:
        raise BadInput(str(error), where="the options of this question", fix="see beachhead fit --help") from None
    return _shown(found, _disk(config, stored, ask.get("weight_quant")), known)


def _disk(config: Mapping[str, Any], stored: int | None, quant: str | None) -> float | None:
    try:
        size = stored if stored is not None else checkpoint_bytes(read(config), quant)
    except UnsupportedConfig:
        return None
    return round(size / GIB + SPARE_GIB, 2)


def _shown(found: Fit, disk: float | None, known: Gpu | None) -> dict[str, Any]:
    told = asdict(found)
    unmeasured = told.pop("unmeasured")
    told["reasons"] = [*found.reasons, *(f"no measured run backs this: {each}" for each in unmeasured), NO_HOST_RAM]
    sources = [f"{known.title}: {known.memory_gib.source}"] if known else []
    told["sources"] = [*found.sources, *sources]
    return {**told, "host_ram_gib": None, "disk_gib": disk}


def _number(row: Mapping[str, str], column: str, kind: type[int] | type[float]) -> Any:
    text = (row.get(column) or "").strip()
    try:
        return kind(text) if text else None
    except ValueError:
        raise BadInput(
            f"{text!r} is not a number", where=f"row {row.get('id')}, column {column}", fix="mend the cell"
        ) from None


def quantisation(row: Mapping[str, str], config: Mapping[str, Any]) -> str | None:
    """What to tell where config.json is the unquantised base's: the row's words, or its checkpoint's name."""
    declared = config.get("quantization_config") or config.get("text_config", {}).get("quantization_config")
    said = (row.get("weight_quant") or "").strip()
    if declared or not said or said.startswith("none"):
        return None
    if "fp8-dynamic" in (row.get("model") or "").lower():
        return "fp8-dynamic"
    return said


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
        else:
            yield {"id": row["id"], **_row(row, read_config(configs / row["config"]))}


def _row(row: Mapping[str, str], config: Mapping[str, Any]) -> dict[str, Any]:
    vision = bool(config.get("vision_config"))
    try:
        return answer(
            config,
            gpu=row["gpu"],
            memory_gib=_number(row, "total_gpu_gib", float),
            stored=None,
            gpus=_number(row, "gpu_count", int) or 1,
            **{name: _number(row, name, int) or 1 for name in ("tp", "pp", "dp", "dcp")},
            ep=(row.get("ep") or "").strip().lower() in ("1", "true", "yes"),
            utilization=_number(row, "gpu_mem_util", float),
            context_tokens=_number(row, "max_model_len", int) or 2048,
            max_num_batched_tokens=_number(row, "max_num_batched_tokens", int),
            max_num_seqs=_number(row, "max_num_seqs", int),
            kv_dtype=(row.get("kv_dtype") or "auto").strip() or "auto",
            weight_quant=quantisation(row, config),
            vllm=(row.get("vllm_version") or NEWEST).strip(),
            mm_encoder="data" if vision else "none",
        )
    except BadInput as fault:
        return {"verdict": "unsupported", "reasons": [fault.what], "sources": []}
