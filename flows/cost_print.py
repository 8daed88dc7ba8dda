"""How a cost sheet looks on a terminal: tables of at most 100 columns, each input with its mark."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from assumptions.formulas.established import NotEstablished
from assumptions.formulas.shapes import Range
from assumptions.formulas.spread import RangeOrNever
from assumptions.formulas.worth import Worth
from flows.cost import CostSheet
from flows.cost_inputs import Input

COLUMNS = 100
SWINGS = 10
COLOURS = {"PASS": "green", "FAIL": "red", "UNKNOWN": "yellow"}
FIGURES = (
    ("npv_usd", "worth against the API, NPV in USD"),
    ("payback_months", "payback, months"),
    ("discounted_payback_months", "payback, discounted, months"),
    ("break_even_utilisation", "break-even utilisation"),
    ("break_even_tokens_per_month", "break-even tokens a month, millions"),
    ("usd_per_million_tokens", "USD per million tokens served"),
    ("share_served", "share of the load served"),
)


def show(found: CostSheet, console: Console | None = None) -> None:
    """Print the whole sheet."""
    console = console or Console(width=COLUMNS, emoji=False)
    console.print(f"[bold]{found.inventory}[/bold]: {escape(found.title)}; fit: {found.fit}", soft_wrap=False)
    for note in found.notes:
        console.print(f"note: {escape(note)}")
    console.print(_inputs(found))
    for text, number in _sources(found).items():
        console.print(f"[dim]source {number}[/dim]: {escape(text)}", highlight=False)
    for part in (_ways(found), _years(found), *_tornados(found), _claims(found)):
        console.print(part)
    for line in found.not_established:
        console.print(f"[bold]not established[/bold]  {escape(line)}", highlight=False)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in columns:
        numeric = name in ("low", "base", "high", "source") or name.startswith(("at ", "swing", "year"))
        whole = numeric or name in ("mark", "input", "claim", "outcome")
        table.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=whole)
    return table


def _inputs(found: CostSheet) -> RenderableType:
    table = _table("Inputs", "input", "low", "base", "high", "unit", "mark", "source")
    known = _sources(found)
    for row in found.inputs:
        ends = ("", _number(row.mid), "") if row.low == row.high else map(_number, (row.low, row.mid, row.high))
        table.add_row(row.name, *ends, escape(row.unit), row.basis, str(known[_source(row)]))
    return table


def _source(row: Input) -> str:
    return f"{row.source}, {row.as_of}" if row.as_of else row.source


def _sources(found: CostSheet) -> dict[str, int]:
    """A number for each source, in the order of first use."""
    return {text: n for n, text in enumerate(dict.fromkeys(map(_source, found.inputs)), 1)}


def _ways(found: CostSheet) -> RenderableType:
    table = _table("API, rent and own over the horizon", "way", "figure", "low", "base", "high")
    table.add_row("api", "paid in all, USD", *_ends(found.api.total_usd))
    table.add_row("", "worth at the start, USD", *_ends(found.api.present_usd))
    table.add_row("", "USD per million tokens", *_ends(found.api.usd_per_million_tokens))
    for way in ("rent", "own"):
        answer = found.ways[way]
        rows = _worth(answer) if isinstance(answer, Worth) else iter([("not established", "", "", "")])
        if way in found.standing_usd:
            rows = iter([*rows, ("costs while serving nothing, USD", *_ends(found.standing_usd[way]))])
        for number, row in enumerate(rows):
            table.add_row(way if not number else "", *row)
    return table


def _worth(answer: Worth) -> Iterator[tuple[str, str, str, str]]:
    for name, label in FIGURES:
        low, base, high = _ends(getattr(answer, name), 1e-6 if "millions" in label else 1.0)
        yield label, low, base, high


def _years(found: CostSheet) -> RenderableType:
    years = max(len(paid) for paid in found.years.values())
    table = _table("Paid in each year, USD, every input at its base", "way", *(f"year {n + 1}" for n in range(years)))
    for way, paid in found.years.items():
        table.add_row(way, *(f"{usd:,.0f}" for usd in paid))
    return table


def _tornados(found: CostSheet) -> Iterator[RenderableType]:
    for way, swings in found.swings.items():
        title = f"What {way} hangs on: NPV {found.npv_usd[way]:,.0f} USD with each input alone at its ends"
        table = _table(title, "input", "low", "high", "at low", "at high", "swing")
        for each in swings[:SWINGS]:
            usd = (f"{amount:,.0f}" for amount in (each.npv_at_low_usd, each.npv_at_high_usd, each.swing_usd))
            table.add_row(each.input, _number(each.low), _number(each.high), *usd)
        yield table


def _claims(found: CostSheet) -> RenderableType:
    table = _table("What the hardware strategy says", "claim", "outcome", "because")
    for claim in found.claims:
        colour = COLOURS.get(claim.outcome, "")
        table.add_row(claim.id, f"[{colour}]{claim.outcome}[/]" if colour else claim.outcome, escape(claim.because))
    return table


def _ends(value: Range | RangeOrNever | NotEstablished, factor: float = 1.0) -> tuple[str, str, str]:
    if isinstance(value, NotEstablished):
        return "", "", ""
    low, mid, high = (_number(None if edge is None else edge * factor) for edge in (value.low, value.mid, value.high))
    return low, mid, high


def _number(value: float | None) -> str:
    """As many digits as a person can use; None is never."""
    if value is None:
        return "never"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
