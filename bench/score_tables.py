"""The score as tables: cells once, then Rich for a terminal or Markdown for the documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean
from typing import NamedTuple

from assumptions.formulas.shapes import Range
from bench.calibration import Run
from bench.measured_rows import Row, scored
from bench.scoring import Answer, Score

OURS = "Beachhead"
NONE = "-"
WIDEST = {"model": 16, "vLLM": 8}  # characters on a terminal


class Table(NamedTuple):
    """A title, a header and rows of cells."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def summary(scores: Mapping[str, Score | str]) -> Table:
    """One line a figure, one column a planner; a planner that could not be had shows its reason."""
    lines: dict[str, Callable[[Score], str]] = {
        "rows answered": lambda s: f"{s.answered} of {s.rows}",
        "weights per GPU, error: mean": lambda s: _percent(s.weights.mean),
        "weights per GPU, error: most": lambda s: _percent(s.weights.most),
        "measured KV GiB inside the range": lambda s: f"{s.inside} of {s.with_range}" if s.with_range else "no range",
        "width of that range, mean (GiB)": lambda s: _number(s.widths.mean),
        "KV GiB per GPU, error: mean": lambda s: _number(s.kv.mean),
        "KV GiB per GPU, error: median": lambda s: _number(s.kv.median),
        "KV GiB per GPU, error: most": lambda s: _number(s.kv.most),
        "KV bytes per token, error: mean": lambda s: _percent(s.tokens.mean),
        "KV bytes per token, error: most": lambda s: _percent(s.tokens.most),
        "failing rows said to fit": lambda s: f"{len(s.failing_said_to_fit)} of {s.failing}",
    }
    cells = [[name, *(s if isinstance(s, str) else tell(s) for s in scores.values())] for name, tell in lines.items()]
    return Table("Score", ["figure", *scores], cells)


def every_row(rows: tuple[Row, ...], told: Mapping[str, Mapping[str, Answer]]) -> Table:
    """One line a scored row: what was measured, and what each planner said of weights and KV."""
    ours, peers = told[OURS], [name for name in told if name != OURS and any(a.kv_gib for a in told[name].values())]
    header = [
        "row",
        "model",
        "card",
        "TP",
        "vLLM",
        "weights",
        "KV",
        "our KV range",
        *(n[:6] for n in peers),
    ]
    lines = []
    for row in scored(rows):
        left, range_ = row.number("available_kv_gib_per_gpu"), ours[row.id].kv_gib
        lines.append(
            [
                row.id,
                row.base,
                row.text("gpu").rsplit("-", 1)[0].removeprefix("RTX-"),
                row.text("tp"),
                row.text("vllm_version") or "not said",
                _weights(row, ours[row.id]),
                _number(left),
                _range(range_, left) if range_ else "refused",
                *(_middle(told[name][row.id]) for name in peers),
            ]
        )
    return Table("Each row: KV in GiB per GPU, weights as our error", header, lines)


def left_out(found: Mapping[str, Sequence[tuple[Run, Range]]]) -> Table:
    """How the overhead ranges do on rows that their calibration has not seen."""
    lines = [
        [
            f"one {key} at a time",
            str(len(pairs)),
            f"{sum(p.low <= run.overhead <= p.high for run, p in pairs)}",
            _number(mean(p.width for _, p in pairs)) if pairs else NONE,
            _number(mean(abs(p.mid - run.overhead) for run, p in pairs)) if pairs else NONE,
        ]
        for key, pairs in found.items()
    ]
    return Table(
        "Left out of the calibration",
        ["left out", "rows", "inside", "width, mean (GiB)", "KV error, mean (GiB)"],
        lines,
    )


def markdown(table: Table) -> str:
    """The table in Markdown."""
    lines = [list(table.header), ["---"] * len(table.header), *table.rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def show(table: Table) -> None:
    """The table on the terminal, at most 100 columns wide."""
    from rich.console import Console
    from rich.table import Table as Rich

    drawn = Rich(title=table.title, title_justify="left", pad_edge=False)
    for number, name in enumerate(table.header):
        drawn.add_column(name, justify="left" if number == 0 else "right", no_wrap=True, max_width=WIDEST.get(name))
    for line in table.rows:
        drawn.add_row(*line)
    Console(width=100, highlight=False).print(drawn)


def _weights(row: Row, answer: Answer) -> str:
    load = row.number("model_load_gib_per_gpu")
    return f"{100 * (answer.weights_gib / load - 1):+.2f} %" if answer.weights_gib and load else NONE


def _range(found: Range, left: float | None) -> str:
    mark = "" if left is None or found.low <= left <= found.high else " !"
    return f"{found.low:.1f} to {found.high:.1f}{mark}"


def _middle(answer: Answer) -> str:
    return f"{answer.kv_gib.mid:.1f}" if answer.kv_gib else NONE


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.2f} %"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"
