"""What has been paid by each month: one line and one band for each way, named where they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assumptions._pictures.amounts import Scale, finite, scale, usd
from assumptions._pictures.canvas import BODY, DARK, INK, PAPER, RULE, SMALL, SOFT, WIDTH, Canvas
from assumptions._pictures.metrics import shorten, width

LEFT, RIGHT, TOP, FOOT = 72.0, WIDTH - 176.0, 30.0, 350.0
STYLES = (  # ink, width, dash, hatch of the band: told apart without colour
    (INK, 2.6, "", "sparse"),
    (DARK, 2.4, "9 5", "back"),
    (SOFT, 2.4, "2.5 4", "dots"),
)
Row = tuple[float, float, float, float]  # month, low, mid, high in USD paid so far
MODELLED = "Modelled from the prices and the load above, paid so far and not discounted; nothing was bought."


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where two lines meet, told by whoever worked it out; nothing is marked without one."""

    month: float
    usd: float
    label: str


@dataclass(frozen=True, slots=True)
class CashLines:
    """Each way's USD paid so far, by month: (month, low, mid, high)."""

    ways: Mapping[str, Sequence[Row]]
    crossings: tuple[Crossing, ...] = ()
    caption: str = MODELLED
    name: str = "cash-lines"


def svg(lines: CashLines) -> str:
    """The drawing; it never raises, and leaves out a month with no figure."""
    canvas = Canvas(lines.name)
    ways = {str(name): kept for name, rows in lines.ways.items() if (kept := _drawn(rows))}
    if ways:
        _plot(canvas, ways, lines.crossings)
    else:
        canvas.text(4, TOP + 6, "Not established: there is nothing to draw.", ink=SOFT)
    said = f"Line: middle case; band: from the low to the high case. {lines.caption}"
    last = canvas.caption(FOOT + 54 if ways else TOP + 32, said)
    return canvas.svg(last + 8, "USD paid so far, by month", _told(ways) or "Nothing is known.")


def _plot(canvas: Canvas, ways: Mapping[str, Sequence[Row]], crossings: Sequence[Crossing]) -> None:
    """Axes, bands, lines, names and crossings, in that order."""
    months = scale([row[0] for rows in ways.values() for row in rows], LEFT, RIGHT, spare=0.0)
    dollars = scale([x for rows in ways.values() for row in rows for x in row[1:]], FOOT, TOP, spare=0.05)
    _axes(canvas, months, dollars)
    for n, rows in enumerate(ways.values()):
        _band(canvas, months, dollars, rows, n)
    for n, rows in enumerate(ways.values()):
        ink, wide, dash, _ = STYLES[n % len(STYLES)]
        canvas.track([(months.at(row[0]), dollars.at(row[2])) for row in rows], ink, wide, dash)
    _ends(canvas, months, dollars, ways)
    for crossing in crossings:
        _crossing(canvas, months, dollars, crossing)


def _drawn(rows: Sequence[Row]) -> list[Row]:
    """The months that have all four figures, in order."""
    kept = []
    for row in rows:
        known = [x for each in row if (x := finite(each)) is not None]
        if len(known) == 4 and known[0] >= 0:
            low, mid, high = sorted(known[1:])
            kept.append((known[0], low, mid, high))
    return sorted(kept)


def _axes(canvas: Canvas, months: Scale, dollars: Scale) -> None:
    for tick in dollars.ticks(6):
        y = dollars.at(tick)
        canvas.line(LEFT, y, RIGHT, y, INK if tick == 0 else RULE, 1)
        canvas.text(LEFT - 8, y + 4, usd(tick), size=SMALL, anchor="end", ink=SOFT)
    step = next((each for each in (1, 3, 6, 12, 24, 60, 120) if months.high <= 10 * each), months.high / 8)
    for n in range(int(months.high / step) + 1):
        x = months.at(n * step)
        canvas.line(x, FOOT, x, FOOT + 5, SOFT)
        canvas.text(x, FOOT + 18, f"{n * step:,g}", size=SMALL, anchor="middle", ink=SOFT)
    canvas.text(RIGHT, FOOT + 34, "months from the start", size=SMALL, anchor="end", ink=SOFT)
    canvas.text(4, TOP - 14, "USD paid so far", size=SMALL, ink=SOFT)


def _band(canvas: Canvas, months: Scale, dollars: Scale, rows: Sequence[Row], n: int) -> None:
    """Between the low and the high case; nothing where they are the same."""
    if all(row[1] == row[3] for row in rows):
        return
    ink, _, dash, hatch = STYLES[n % len(STYLES)]
    low, high = ([(months.at(row[0]), dollars.at(row[edge])) for row in rows] for edge in (1, 3))
    canvas.track(high + low[::-1], "", 0, fill=hatch)
    for edge in (low, high):
        canvas.track(edge, ink, 0.8, dash)


def _ends(canvas: Canvas, months: Scale, dollars: Scale, ways: Mapping[str, Sequence[Row]]) -> None:
    """Each line's name and last figures right of its end, pushed apart where they would overlap."""
    ends = sorted((dollars.at(rows[-1][2]), n, name, rows[-1]) for n, (name, rows) in enumerate(ways.items()))
    floor, high = TOP, 36.0
    room = FOOT - high * len(ends)
    for place, (y, n, name, (month, low, mid, top)) in enumerate(ends):
        at = min(max(y, floor), room + high * (place + 0.5))
        floor = at + high
        ink, wide, dash, _ = STYLES[n % len(STYLES)]
        x = months.at(month)
        canvas.track([(x, y), (RIGHT + 8, at), (RIGHT + 34, at)], ink, wide if x >= RIGHT - 1 else 0.8, dash)
        canvas.text(RIGHT + 40, at + 1, f"{name} {usd(mid)}", bold=True, room=WIDTH - RIGHT - 42)
        if low != top:
            canvas.text(RIGHT + 40, at + 15, f"{usd(low)} to {usd(top)}", size=SMALL, room=WIDTH - RIGHT - 42)


def _crossing(canvas: Canvas, months: Scale, dollars: Scale, crossing: Crossing) -> None:
    month, paid = finite(crossing.month), finite(crossing.usd)
    if month is None or paid is None or not 0 <= month <= months.high:
        return
    x, y = months.at(month), dollars.at(paid)
    canvas.ring(x, y, 5.5, INK, 2, PAPER)
    words = shorten(" ".join(crossing.label.split()), RIGHT - LEFT - 20, BODY)
    left = x - 10 - width(words, BODY) > LEFT
    canvas.text(x + (-10 if left else 10), y - 10, words, anchor="end" if left else "start", backed=True)


def _told(ways: Mapping[str, Sequence[Row]]) -> str:
    """Each way's end as a sentence."""
    return " ".join(
        f"{name}: {usd(mid)} after {month:g} months, from {usd(low)} to {usd(high)}."
        for name, ((month, low, mid, high)) in ((name, rows[-1]) for name, rows in ways.items())
    )
