"""Which input the answer hangs on: a bar for each, from its low to its high end, the widest first."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._pictures.amounts import Scale, finite, scale, usd
from assumptions._pictures.canvas import DARK, INK, MIDDLE, RULE, SMALL, SOFT, WIDTH, Canvas
from assumptions._pictures.metrics import width
from assumptions._report_text import number

LEFT, RIGHT, TOP, ROW, BAR = 300.0, WIDTH - 100.0, 52.0, 40.0, 22.0
MOST = 14  # bars; the rest are too small to matter, and are counted in the caption
MODELLED = "Modelled: one input moved at a time, every other at its middle."


@dataclass(frozen=True, slots=True)
class Swing:
    """One input at its two ends, and the NPV in USD at each; `low` and `high` are figures, or words with a unit."""

    name: str
    low: float | str
    high: float | str
    npv_at_low_usd: float | None
    npv_at_high_usd: float | None
    npv_base_usd: float | None


@dataclass(frozen=True, slots=True)
class Tornado:
    """Every input's swing, in any order."""

    swings: tuple[Swing, ...]
    what: str = "NPV against the API"
    caption: str = MODELLED
    name: str = "tornado"


def svg(tornado: Tornado) -> str:
    """The drawing; it never raises, and leaves out an input with no figure."""
    canvas = Canvas(tornado.name)
    known = [(each, *ends) for each in tornado.swings if (ends := _ends(each)) is not None]
    rows = sorted(known, key=lambda row: min(row[1:]) - max(row[1:]))
    base = rows[0][3] if rows else 0.0
    on = scale(
        [x - base for row in rows[:MOST] for x in row[1:]], LEFT + 76, RIGHT - 8
    )  # the base line's place is the zero of this scale
    foot = TOP + ROW * len(rows[:MOST])
    _head(canvas, tornado, on, base, foot, bool(rows))
    for n, (swing, low, high, _) in enumerate(rows[:MOST]):
        _row(canvas, swing, (low, high, base), on, TOP + ROW * n)
    if not rows:
        canvas.text(4, TOP + 4, "Not established: there is nothing to draw.", ink=SOFT)
        foot += 12
    left = f" {len(rows) - MOST} smaller ones are left out." if len(rows) > MOST else ""
    last = canvas.caption(foot + 30, f"Pale: the input's low end; dark: its high end. {tornado.caption}{left}")
    told = " ".join(f"{row[0].name}: {usd(row[1])} at the low end, {usd(row[2])} at the high end." for row in rows)
    return canvas.svg(last + 8, f"What {tornado.what} hangs on", told or "Nothing is known.")


def _ends(swing: Swing) -> tuple[float, float, float] | None:
    found = (finite(swing.npv_at_low_usd), finite(swing.npv_at_high_usd), finite(swing.npv_base_usd))
    known = [each for each in found if each is not None]
    return (known[0], known[1], known[2]) if len(known) == 3 else None


def _head(canvas: Canvas, tornado: Tornado, on: Scale, base: float, foot: float, drawn: bool) -> None:
    """What is shown, the base line with its figure, and the line of zero where it is near."""
    canvas.text(4, 16, f"{tornado.what}, USD", bold=True, room=LEFT)
    if not drawn:
        return
    x = on.at(0.0)
    words = f"every input at its middle: {usd(base)}"
    half = width(words, 13) / 2
    canvas.text(min(max(x, half + 4), WIDTH - half - 4), 34, words, anchor="middle")
    if on.low < -base < on.high and abs(on.at(-base) - x) > 24:
        canvas.line(on.at(-base), TOP - 6, on.at(-base), foot, RULE, 1, "3 3")
        canvas.text(on.at(-base), foot + 12, "$0", size=SMALL, anchor="middle", ink=SOFT)
    canvas.line(x, 40, x, foot, INK, 1.6)


def _row(canvas: Canvas, swing: Swing, usd_at: tuple[float, float, float], on: Scale, top: float) -> None:
    """The name with its two ends, and the bar with the NPV at each."""
    low, high, base = usd_at
    canvas.text(4, top + 12, swing.name, bold=True, room=LEFT - 30)
    canvas.text(4, top + 27, f"{_said(swing.low)} to {_said(swing.high)}", size=SMALL, ink=SOFT, room=LEFT - 30)
    zero, same_side = on.at(0.0), (low - base) * (high - base) > 0
    for value, fill, part in ((low, MIDDLE, 0), (high, DARK, 1)):
        x = on.at(value - base)
        y, thick = (top + 5 + BAR / 2 * part, BAR / 2) if same_side else (top + 5, BAR)
        canvas.rect(min(x, zero), y, abs(x - zero), thick, fill, edge=INK)
    right, left = max(low, high), min(low, high)
    if same_side:
        far = right if right > base else left
        end = "low" if far == low else "high"
        _value(canvas, on.at(far - base), top + 20, f"{end} {usd(far)}", after=far > base)
        return
    for value, after in ((left, False), (right, True)):
        end = "low" if value == low and (low != high or not after) else "high"
        _value(canvas, on.at(value - base), top + 20, f"{end} {usd(value)}", after=after)


def _value(canvas: Canvas, x: float, y: float, words: str, *, after: bool) -> None:
    canvas.text(x + (6 if after else -6), y, words, size=SMALL, anchor="start" if after else "end", backed=True)


def _said(value: object) -> str:
    """An end of an input: its words as they are, a figure as a person writes it."""
    if isinstance(value, str):
        return value
    known = finite(value)
    return "not known" if known is None else number(known)
