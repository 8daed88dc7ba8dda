"""The terminal's view of a plan: tables of at most 100 columns, each figure with the mark of its basis."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assumptions._plan_tables import budget_lines, fit_figures
from assumptions._plan_view import BLOCKS, MARKS, Alternative, PlanView

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

COLUMNS = 100


def print_plan(view: PlanView) -> None:
    """Will it fit, what would make it yes, and the flags; nothing is judged here."""
    from rich.console import Console

    console = Console(width=COLUMNS, highlight=False, markup=False, no_color=not sys.stdout.isatty())
    _fit(console, view)
    _alternatives(console, view)
    _flags(console, view)
    _cost(console, view)
    console.print("basis: " + ", ".join(f"{mark} {name}" for name, mark in MARKS.items()), soft_wrap=False)


def _table(*columns: str, right: int = 0) -> Table:
    """A plain table; the last `right` columns are figures."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for n, name in enumerate(columns):
        table.add_column(name, justify="right" if n >= len(columns) - right else "left", overflow="fold")
    return table


def _fit(console: Console, view: PlanView) -> None:
    verdict = str(view.fit.get("verdict"))
    if not view.has_gpu:
        console.print("\nWill it fit?", style="bold")
        console.print("\n".join(f"  {line}" for line in view.fit.get("reasons", ())))
        return
    cards = f"{view.gpu_count}x {view.gpu_title}" if view.gpu_count else view.gpu_title
    asked = f"{view.concurrent_requests} x {view.context_tokens:,} tokens" if view.context_tokens else ""
    console.print(f"\nWill it fit?  {cards}, {asked}: {verdict}", style="bold")
    for line in view.fit.get("reasons", ())[:1] if verdict == "unsupported" else ():
        console.print(f"  {line}")
    if verdict == "unsupported":
        return
    table = _table("GiB on each GPU", "low", "mid", "high", "basis", right=4)
    for each in budget_lines(view):
        table.add_row(each.part, each.low, each.mid, each.high, MARKS.get(each.basis, each.basis))
    console.print(table)
    for name, figure in fit_figures(view):
        console.print(f"  {name}: {figure.text} ({figure.mark})")


def _alternatives(console: Console, view: PlanView) -> None:
    if view.gpu_count is None or not (view.alternatives or view.none_because):
        return
    console.print("\nWhat would make it yes", style="bold")
    if view.none_because:
        console.print(f"  {view.none_because}")
    from rich.padding import Padding

    notes: dict[str, int] = {}
    for block, title in BLOCKS.items():
        rows = [each for each in view.alternatives if each.block == block]
        if rows:
            console.print(f"\n  {title}")
            console.print(_block(rows, notes))
    for text, n in notes.items():
        console.print(Padding(f"[{n}] {text}", (0, 0, 0, 2)))


def _block(rows: Sequence[Alternative], notes: dict[str, int]) -> Table:
    """The rows; what is unproven of each is numbered into `notes`, so that a text stands once."""
    same = rows[0].block == "declared"  # one machine at one price: its settings alone differ
    table = _table(*([] if same else ["machine"]), "setting", "verdict", "margin per GPU", "hardware", "unproven")
    for each in rows:
        price = f"{each.price.text} ({each.price.mark})" if each.price.basis else each.price.text
        refused = each.flags[:1] if each.verdict == "unsupported" else ()
        marks = " ".join(f"[{notes.setdefault(text, len(notes) + 1)}]" for text in (*refused, *each.unproven))
        table.add_row(*([] if same else [each.title]), each.split, each.verdict, each.margin.text, price, marks)
    return table


def _flags(console: Console, view: PlanView) -> None:
    if not view.launch_flags:
        return
    console.print(f"\n{' '.join(view.notes)}", style="bold")
    table = _table("flag", "reason")
    for flag in view.launch_flags:
        table.add_row(flag.words, flag.why)
    console.print(table)


def _cost(console: Console, view: PlanView) -> None:
    if view.cost is None:
        return
    missing = len(view.cost.not_established)
    said = f"break-even not established, {missing} things to find out first" if missing else "see the report"
    console.print(f"\nWhat will it cost?  {said}: beachhead cost INVENTORY", style="bold")
    for line in view.cost.not_established:
        console.print(f"  {line}")


def plan_json(folder: Path) -> dict[str, Any]:
    """What `--json` adds for a plan; empty where the run was none."""
    file = folder / "plan.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found
