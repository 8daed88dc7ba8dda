"""The table of public vLLM logs: one row of it, and which rows are scored."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "tests/assumptions/formulas/data"
TABLE, CONFIGS = DATA / "vllm_measurements.csv", DATA / "configs"
AMD = "MI"


@dataclass(frozen=True, slots=True)
class Row:
    """One logged start; the columns as text, and numbers on demand."""

    columns: Mapping[str, str]

    def text(self, column: str) -> str:
        """The cell, empty when there is none."""
        return (self.columns.get(column) or "").strip()

    def number(self, column: str) -> float | None:
        """The cell as a number; None when it is empty."""
        return float(self.text(column)) if self.text(column) else None

    def whole(self, column: str, default: int) -> int:
        """The cell as a whole number."""
        return int(self.text(column) or default)

    @property
    def id(self) -> str:
        """The row's name in the table."""
        return self.text("id")

    @property
    def ok(self) -> bool:
        """The server came up."""
        return self.text("outcome") == "ok"

    @property
    def failed(self) -> bool:
        """The server did not come up for lack of memory."""
        return "FAIL" in self.text("outcome") or "OOM" in self.text("outcome")

    @property
    def base(self) -> str:
        """The model without its organisation and the quantisation in its name."""
        return self.text("model").split("/")[-1].removesuffix("-FP8-dynamic")

    @property
    def bytes_per_token(self) -> float | None:
        """Bytes of KV cache per token and rank, where the log has both figures."""
        gib, tokens = self.number("available_kv_gib_per_gpu"), self.number("kv_tokens")
        return gib * 2**30 / tokens if gib and tokens else None


def read(table: Path = TABLE, configs: Path = CONFIGS) -> tuple[Row, ...]:
    """Every row on a named NVIDIA card whose model's config.json is there."""
    with table.open(newline="", encoding="utf-8") as lines:
        every = [Row(columns) for columns in csv.DictReader(lines)]
    return tuple(row for row in every if _askable(row, configs))


def _askable(row: Row, configs: Path) -> bool:
    named = row.text("gpu") and not row.text("gpu").startswith((AMD, "unknown"))
    return bool(named and row.text("config") and (configs / row.text("config")).is_file())


def scored(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """One `ok` row for each group and version, the first: repeats of a set-up would count it twice."""
    return tuple(_first(rows))


def _first(rows: tuple[Row, ...]) -> Iterator[Row]:
    seen: set[tuple[str, str]] = set()
    for row in rows:
        key = (row.text("group"), row.text("vllm_version"))
        if row.ok and key not in seen:
            seen.add(key)
            yield row
