"""The memory bar of one answer of `beachhead fit --json`: a bar for each pipeline stage that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assumptions._pictures.amounts import finite, span
from assumptions._pictures.memory_bar import MEASURED, MODELLED, Load, MemoryBar, Range

COLUMNS = ("stage", "component", "low", "mid", "high", "basis")
OVERHEAD, WANTED, LEFT, BUDGET = "overhead", "KV of the wanted requests", "left", "budget"


def memory_bar(fit: Mapping[str, Any], gpu: str, card: float | None, gpus: int | None = None) -> MemoryBar:
    """From `budget_table` where the answer has one, else from its figures for the tightest stage."""
    every = f"each of {gpus} GPUs" if gpus and gpus > 1 else "the GPU" if gpus == 1 else "each GPU"
    loads = tuple(_by_stage(fit, every)) or (_tightest(fit, every),)
    bases = {str(row["basis"]) for row in budget_rows(fit) if row["component"] == OVERHEAD}
    caption = MEASURED if bases and all(basis == "measured here" for basis in bases) else MODELLED
    return MemoryBar(gpu, finite(card), finite(fit.get("budget_gib")), loads, str(fit.get("verdict") or ""), caption)


def budget_rows(fit: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of `budget_table` as mappings; a row of another shape is left out."""
    rows = fit.get("budget_table")
    found = []
    for row in rows if isinstance(rows, list | tuple) else ():
        if isinstance(row, Mapping):
            found.append({name: row.get(name) for name in COLUMNS})
        elif isinstance(row, list | tuple) and len(row) == len(COLUMNS):
            found.append(dict(zip(COLUMNS, row, strict=True)))
    return found


def _tightest(fit: Mapping[str, Any], name: str) -> Load:
    overhead, room = span(fit.get("overhead_gib")), span(fit.get("kv_gib_per_gpu"))
    return Load(name, finite(fit.get("weights_gib_per_gpu")), overhead, room)


def _by_stage(fit: Mapping[str, Any], every: str) -> Iterator[Load]:
    """One load for each run of stages that hold the same."""
    stages: dict[str, list[dict[str, Any]]] = {}
    for row in budget_rows(fit):
        stages.setdefault(str(row["stage"]), []).append(row)
    same: dict[tuple[Any, ...], list[str]] = {}
    for stage, rows in stages.items():
        same.setdefault(_held(rows), []).append(stage)
    for (weights, overhead, room, wanted), names in same.items():
        of = "" if len(stages) == 1 else f", pipeline stage{'s' if len(names) > 1 else ''} {', '.join(names)}"
        yield Load(f"{every}{of}", weights, overhead, room, wanted)


def _held(rows: list[dict[str, Any]]) -> tuple[float | None, Range | None, Range | None, float | None]:
    """Weights, overhead, room for KV and wanted KV of one stage."""
    named = {str(row["component"]): row for row in rows}
    weights = [finite(row["mid"]) for row in rows if row["component"] not in (OVERHEAD, WANTED, LEFT, BUDGET)]
    known = [each for each in weights if each is not None]
    wanted = finite(named.get(WANTED, {}).get("mid"))
    left = span(named.get(LEFT))
    low, mid, high = left or (0.0, 0.0, 0.0)
    more = wanted or 0.0
    room = (low + more, mid + more, high + more) if left else None
    return sum(known) if known and len(known) == len(weights) else None, span(named.get(OVERHEAD)), room, wanted
