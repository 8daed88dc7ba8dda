"""What lies in each GPU's memory: weights, overhead, KV and what is free, beside the card's limit and the budget."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._pictures.amounts import Scale, between, gib, scale
from assumptions._pictures.canvas import ALARM, BODY, DARK, INK, MIDDLE, PALE, PAPER, SMALL, SOFT, WIDTH, Canvas
from assumptions._pictures.metrics import spread, width

LEFT, RIGHT, TOP, BAR, ROW = 8.0, WIDTH - 8.0, 46.0, 38.0, 104.0
MODELLED = "Modelled from config.json; no GPU was read. The overhead is a range seen in server logs of other machines."
MEASURED = "Weights and KV are modelled from config.json; the overhead was measured here."
Range = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Load:
    """What each GPU of one pipeline stage holds, in GiB; None where nothing can be said."""

    name: str
    weights: float | None
    overhead: Range | None
    kv_room: Range | None  # what is left for KV; below zero when something is missing
    kv_wanted: float | None = None  # what the wanted requests need


@dataclass(frozen=True, slots=True)
class MemoryBar:
    """The bars, the memory that CUDA reports and the engine's part of it, in GiB per GPU."""

    gpu: str
    card: float | None
    budget: float | None
    loads: tuple[Load, ...]
    verdict: str = ""
    caption: str = MODELLED
    name: str = "memory-bar"


def shortage(load: Load, budget: float | None) -> str:
    """What is missing, in words; empty where nothing is known to be."""
    if budget is not None and load.weights is not None and load.weights > budget:
        missing = round(load.weights, 2) - round(budget, 2)  # of the figures that stand beside it
        return f"short by {gib(missing)} GiB before any overhead or KV"
    if load.kv_room is None:
        return ""
    (low, _, high), wanted = load.kv_room, max(0.0, load.kv_wanted or 0.0)
    what = "for the wanted KV" if wanted else "before any KV"
    if high < wanted:
        return f"short by {between(wanted - high, wanted - low)} GiB {what}"
    return f"may be short by up to {gib(wanted - low)} GiB {what}" if low < wanted else ""


def svg(bar: MemoryBar) -> str:
    """The drawing; it never raises, and says what is not known."""
    canvas = Canvas(bar.name)
    loads = [each for each in bar.loads if each.weights is not None and each.weights >= 0]
    ends = [x for x in (bar.card, bar.budget) if x is not None and x > 0] + [_end(each) for each in loads]
    on = scale(ends, LEFT, RIGHT)
    foot = TOP + ROW * len(loads) if loads else TOP + 40
    for n, load in enumerate(loads):
        _bar(canvas, bar, load, on, TOP + ROW * n + 22)
    _limits(canvas, bar, on, foot)
    for n, load in enumerate(loads):
        _labels(canvas, bar, load, on, TOP + ROW * n)
    if not loads:
        canvas.text(LEFT, TOP + 24, "Not known: the memory model gives no figure for this question.", backed=True)
    _axis(canvas, on, foot)
    last = canvas.caption(foot + 58, f"{bar.gpu}. {bar.caption}")
    title = f"Memory of each GPU: {bar.verdict or 'not judged'}"
    return canvas.svg(last + 8, title, " ".join(_told(bar, each) for each in loads) or "No figure is known.")


def _end(load: Load) -> float:
    high = max(0.0, load.overhead[2]) if load.overhead else 0.0
    return (load.weights or 0.0) + high + max(0.0, load.kv_wanted or 0.0)


def _bar(canvas: Canvas, bar: MemoryBar, load: Load, on: Scale, y: float) -> None:
    """The parts of one bar, on an empty box as long as the card."""
    canvas.rect(LEFT, y, on.at(bar.card or 0.0) - LEFT, BAR, PAPER, edge=INK)
    for start, end, fill, over, _, _ in _marks(bar, load):
        x, wide = on.at(start), on.at(end) - on.at(start)
        canvas.rect(x, y, wide, BAR, fill, edge="" if over else INK)
        canvas.rect(x, y, wide, BAR, over or "none", edge=INK)


def _labels(canvas: Canvas, bar: MemoryBar, load: Load, on: Scale, top: float) -> None:
    """The bar's name and what is missing above it; its parts' labels inside where they fit, else below."""
    canvas.text(LEFT, top + 14, load.name, bold=True, room=WIDTH * 0.4, backed=True)
    lack, below = shortage(load, bar.budget), list[tuple[float, str]]()
    if lack:
        canvas.text(RIGHT, top + 14, lack, bold=True, anchor="end", ink=ALARM, room=WIDTH * 0.58, backed=True)
    for start, end, _, _, label, ink in _marks(bar, load):
        x, wide = (on.at(start) + on.at(end)) / 2, on.at(end) - on.at(start)
        if label and width(label, BODY) + 12 <= wide:
            canvas.text(x, top + 22 + BAR / 2 + 4.5, label, anchor="middle", ink=ink, on_mark=True)
        elif label:
            below.append((x, label))
    wides, y = [width(label, BODY) for _, label in below], top + 22 + BAR
    for (x, label), start, wide in zip(below, spread([x for x, _ in below], wides, LEFT, RIGHT), wides, strict=True):
        canvas.track([(x, y), (x, y + 6), (min(max(x, start), start + wide), y + 12)], SOFT, 1)
        canvas.text(start, y + 25, label, backed=True)


def _marks(bar: MemoryBar, load: Load) -> list[tuple[float, float, str, str, str, str]]:
    """Start, end, shade, hatch over it, label and its ink of every part of one bar, from the left."""
    weights, budget = load.weights or 0.0, bar.budget or 0.0
    inside = min(weights, budget) if budget > 0 else weights
    marks = [(0.0, inside, DARK, "", f"weights {gib(weights)}", PAPER)]
    if weights > inside:
        marks.append((inside, weights, ALARM, "cross", "", PAPER))
    at = weights
    if load.overhead:
        low, _, high = (max(0.0, each) for each in load.overhead)
        marks.append((at, at + low, PALE, "hatch", f"overhead {between(low, high)}", INK))
        marks.append((at + low, at + high, PAPER, "sparse", "", INK))
        at += high
    wanted = max(0.0, load.kv_wanted or 0.0)
    if wanted and weights <= inside:
        marks.append(
            (at, at + wanted, MIDDLE, "" if at + wanted <= budget else "back", f"wanted KV {gib(wanted)}", INK)
        )
        at += wanted
    if load.kv_room and at < budget:
        words = f"{'more' if wanted else 'room for'} KV {between(load.kv_room[0] - wanted, load.kv_room[2] - wanted)}"
        marks.append((at, budget, PALE, "", words, INK))
    if bar.card and max(at, budget) < bar.card:
        marks.append((max(at, budget), bar.card, PAPER, "", "", INK))  # the engine leaves it alone
    return marks


def _limits(canvas: Canvas, bar: MemoryBar, on: Scale, foot: float) -> None:
    """The card's whole line and the budget's broken one, through every bar; each named above, away from the other."""
    if bar.card is not None and bar.card > 0:
        x, words = on.at(bar.card), f"card {gib(bar.card)} GiB"
        right = x + 5 + width(words, BODY, bold=True) < WIDTH
        canvas.line(x, 18, x, foot + 4, INK, 2.4)
        canvas.text(x if right else RIGHT, 14, words, anchor="start" if right else "end", bold=True)
    if bar.budget is not None and bar.budget > 0:
        share = f" = {bar.budget / bar.card:.2f} of the card" if bar.card and bar.card > 0 else ""
        x, words = on.at(bar.budget), f"engine's budget {gib(bar.budget)} GiB{share}"
        left = x - 5 - width(words, BODY) > 0
        canvas.line(x, 24, x, foot + 4, INK, 1.6, "5 3")
        canvas.text(x + (-5 if left else 5), 34, words, anchor="end" if left else "start", backed=True)


def _axis(canvas: Canvas, on: Scale, y: float) -> None:
    canvas.line(LEFT, y + 4, RIGHT, y + 4, SOFT)
    for tick in on.ticks():
        x = on.at(tick)
        canvas.line(x, y + 4, x, y + 9, SOFT)
        canvas.text(x, y + 22, f"{tick:,g}", size=SMALL, anchor="start" if x < LEFT + 9 else "middle", ink=SOFT)
    canvas.text(RIGHT, y + 37, "GiB per GPU", size=SMALL, anchor="end", ink=SOFT)


def _told(bar: MemoryBar, load: Load) -> str:
    """One bar as a sentence."""
    parts = [f"{load.name}: weights {gib(load.weights or 0.0)} GiB"]
    if load.overhead:
        parts.append(f"overhead {between(load.overhead[0], load.overhead[2])} GiB")
    if load.kv_room and load.kv_room[0] > 0:
        parts.append(f"room for KV {between(load.kv_room[0], load.kv_room[2])} GiB")
    limits = [("budget", bar.budget), ("card", bar.card)]
    parts += [f"{what} {gib(value)} GiB" for what, value in limits if value is not None]
    lack = shortage(load, bar.budget)
    return ", ".join(parts + ([lack] if lack else [])) + "."
