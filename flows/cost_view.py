"""From a cost sheet to what the report prints and draws: texts with units, each with its basis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from assumptions._pictures.cash_lines import Crossing
from assumptions._pictures.tornado import Swing
from assumptions._plan_pictures import cost_pictures, write
from assumptions._plan_view import CostLine, CostView, Figure
from assumptions.formulas.worth import Worth
from flows.cost import CostSheet
from flows.cost_inputs import Input

FIGURES = (
    ("npv_usd", "worth against the API (NPV)", "${:,.0f}"),
    ("payback_months", "payback", "{:,.1f} months"),
    ("discounted_payback_months", "payback, discounted", "{:,.1f} months"),
    ("break_even_utilisation", "break-even utilisation", "{:.0%}"),
    ("break_even_tokens_per_month", "break-even load", "{:,.0f} tokens a month"),
    ("usd_per_million_tokens", "cost of a million tokens", "${:,.2f}"),
)


def view(found: CostSheet) -> CostView:
    """The same facts as the sheet, ready to print."""
    way = next(iter(found.swings), "")
    return CostView(
        ways=found.months,
        crossings=tuple(_crossings(found)),
        swings=tuple(
            Swing(each.input, each.low, each.high, each.npv_at_low_usd, each.npv_at_high_usd, found.npv_usd[way])
            for each in found.swings.get(way, ())
        ),
        swings_of=f"NPV of the way to {way} against the API" if way else "NPV against the API",
        lines=tuple(_lines(found)),
        inputs=tuple((each.name, _input(each)) for each in found.inputs),
        not_established=found.not_established,
        notes=found.notes,
    )


def draw(found: CostSheet, folder: Path) -> list[Path]:
    """The cash-flow lines and the tornado as PNG files in `folder`/pictures, each where there is something to draw."""
    return write(cost_pictures(view(found)), folder)


def _lines(found: CostSheet) -> Iterator[CostLine]:
    for way, worth in found.ways.items():
        if isinstance(worth, Worth):
            for name, title, text in FIGURES:
                span = getattr(worth, name)
                yield CostLine(f"{way}: {title}", *(_edge(getattr(span, end), text) for end in ("low", "mid", "high")))


def _edge(value: object, text: str) -> Figure:
    return Figure(text.format(value) if isinstance(value, int | float) else "never", "modelled")


def _input(each: Input) -> Figure:
    span = f"{each.mid:,g}" if each.low == each.high else f"{each.low:,g} to {each.mid:,g} to {each.high:,g}"
    return Figure(f"{span} {each.unit}".strip(), each.basis, each.source)


def _crossings(found: CostSheet) -> Iterator[Crossing]:
    """Where a machine's middle line last comes to lie below the API's."""
    api = {row[0]: row[2] for row in found.months.get("api", ())}
    for way, rows in found.months.items():
        above = [row for row in rows if way != "api" and row[0] in api and row[2] > api[row[0]]]
        if above and above[-1][0] < rows[-1][0]:
            month = above[-1][0] + 1
            usd = next(row[2] for row in rows if row[0] == month)
            yield Crossing(month, usd, f"{way}: month {month}")
