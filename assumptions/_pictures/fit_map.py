"""What fits: context length against concurrent requests, a letter and a shade for each, the declared point ringed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assumptions._pictures.amounts import finite, tokens
from assumptions._pictures.canvas import DARK, INK, MIDDLE, PAPER, RULE, SMALL, SOFT, WIDTH, Canvas

LEFT, TOP, HIGH, LARGEST_SIDE = 92.0, 10.0, 32.0, 16
KINDS = {  # verdict: letter, shade, hatch over it, ink, in words
    "fits": ("F", DARK, "", PAPER, "fits"),
    "tight": ("T", MIDDLE, "back", INK, "tight: only if the overhead is low, or no measured run backs it"),
    "does-not-fit": ("N", PAPER, "", SOFT, "does not fit"),
    "unsupported": ("U", PAPER, "dots", INK, "unsupported: the engine refuses it, or no right figure can be given"),
}
ABLE = ("fits", "tight")
BLANK = ("", PAPER, "", SOFT, "not asked")
MODELLED = "Modelled from config.json; no GPU was read."


@dataclass(frozen=True, slots=True)
class Cell:
    """One question and its verdict: fits, tight, does-not-fit or unsupported."""

    context_tokens: int
    concurrent_requests: int
    verdict: str


@dataclass(frozen=True, slots=True)
class FitMap:
    """Every cell, and the point that the inventory declares."""

    cells: tuple[Cell, ...]
    declared_context: int | None = None
    declared_requests: int | None = None
    caption: str = MODELLED
    name: str = "fit-map"


def svg(fit_map: FitMap) -> str:
    """The drawing; it never raises.  Contexts rise to the right, concurrent requests upwards."""
    canvas = Canvas(fit_map.name)
    verdicts = _drawable(fit_map.cells)
    across, up = (sorted({at[side] for at in verdicts})[:LARGEST_SIDE] for side in (0, 1))
    wide = min(92.0, (WIDTH - LEFT - 8) / max(1, len(across)))
    for row, requests in enumerate(reversed(up)):
        y = TOP + HIGH * row
        canvas.text(LEFT - 8, y + 21, f"{requests:,}", anchor="end")
        for column, context in enumerate(across):
            _cell(canvas, LEFT + wide * column, y, wide, verdicts.get((context, requests), ""))
    foot = TOP + HIGH * len(up)
    for column, context in enumerate(across):
        canvas.text(LEFT + wide * (column + 0.5), foot + 18, tokens(context), anchor="middle")
    _names(canvas, foot, len(up))
    if not verdicts:
        canvas.text(LEFT, TOP + 12, "Not known: no question was asked.", ink=SOFT)
    declared = _declared(canvas, fit_map, across, up, wide)
    last = _legend(canvas, foot + 62, set(verdicts.values()), declared)
    last = canvas.caption(last + 24, fit_map.caption)
    return canvas.svg(last + 8, "What fits, by context and concurrent requests", _told(verdicts, declared))


def _drawable(cells: Sequence[Cell]) -> dict[tuple[int, int], str]:
    """Each point that can be drawn, and its verdict."""
    found = {}
    for cell in cells:
        context, requests = finite(cell.context_tokens), finite(cell.concurrent_requests)
        if context is not None and requests is not None and min(context, requests) >= 1:
            found[round(context), round(requests)] = str(cell.verdict)
    return found


def _cell(canvas: Canvas, x: float, y: float, wide: float, verdict: str) -> None:
    letter, shade, over, ink, _ = KINDS.get(verdict, BLANK)
    canvas.rect(x, y, wide, HIGH, shade, edge="" if over else RULE)
    if over:
        canvas.rect(x, y, wide, HIGH, over, edge=RULE)
    canvas.text(
        x + wide / 2,
        y + HIGH / 2 + 5,
        letter,
        size=15,
        anchor="middle",
        bold=verdict != "does-not-fit",
        ink=ink,
        on_mark=shade != PAPER,
    )


def _names(canvas: Canvas, foot: float, rows: int) -> None:
    middle = TOP + HIGH * rows / 2
    canvas.text(4, middle - 4, "concurrent", size=SMALL, ink=SOFT)
    canvas.text(4, middle + 10, "requests", size=SMALL, ink=SOFT)
    canvas.text(LEFT, foot + 38, "context of each request, tokens (K = 1,024)", size=SMALL, ink=SOFT)


def _declared(canvas: Canvas, fit_map: FitMap, across: Sequence[int], up: Sequence[int], wide: float) -> str:
    """Ring the declared point where it lies, between cells too; say where it is when it lies outside."""
    context, requests = finite(fit_map.declared_context), finite(fit_map.declared_requests)
    if context is None or requests is None or context < 1 or requests < 1:
        return ""
    said = f"declared: {tokens(context)} tokens, {requests:,.0f} at once"
    column, row = _place(context, across), _place(requests, up)
    if column is None or row is None:
        return f"{said}, outside this map"
    x, y = LEFT + wide * (column + 0.5), TOP + HIGH * (len(up) - row - 0.5)
    canvas.ring(x, y, 14.5, PAPER, 5.5)
    canvas.ring(x, y, 14.5)
    return said


def _place(value: float, marks: Sequence[int]) -> float | None:
    """Where a value lies among the marks, in steps from the first, between two by its logarithm; None outside."""
    if not marks or not marks[0] <= value <= marks[-1]:
        return None
    after = next(n for n, mark in enumerate(marks) if mark >= value)
    if marks[after] == value:
        return float(after)
    low, high = marks[after - 1], marks[after]
    return after - 1 + math.log(value / low) / math.log(high / low)


def _legend(canvas: Canvas, y: float, met: set[str], declared: str) -> float:
    """A line for each verdict on the map, and one for the ring; gives the last base line."""
    lines = [kind for verdict, kind in KINDS.items() if verdict in met]
    for n, (letter, shade, over, ink, words) in enumerate(lines):
        at = y + 22 * n
        canvas.rect(LEFT, at - 13, 26, 18, shade, edge=RULE)
        canvas.rect(LEFT, at - 13, 26, 18, over or "none", edge=RULE)
        canvas.text(LEFT + 13, at + 1, letter, anchor="middle", bold=True, ink=ink, on_mark=shade != PAPER)
        canvas.text(LEFT + 36, at + 1, words)
    last = y + 22 * (len(lines) - 1)
    if declared:
        last += 22
        if "outside" not in declared:
            canvas.ring(LEFT + 13, last - 4, 8, wide=2)
        canvas.text(LEFT + 36, last + 1, declared)
    return last


def _told(verdicts: Mapping[tuple[int, int], str], declared: str) -> str:
    """The map as sentences: for each number of requests the longest context of each verdict."""
    said = []
    for requests in sorted({at[1] for at in verdicts}):
        row = {context: verdict for (context, each), verdict in verdicts.items() if each == requests}
        longest = {kind: max((at for at, verdict in row.items() if verdict == kind), default=0) for kind in ABLE}
        words = [f"{kind} up to {tokens(at)}" for kind, at in longest.items() if at]
        said.append(f"{requests} at once: {', '.join(words) or 'nothing fits'}.")
    return " ".join([*said, declared])
