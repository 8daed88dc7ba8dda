"""How wide a text is: the advance widths of Roboto, the font that every picture is drawn in."""

from __future__ import annotations

from typing import Final

FONT: Final = "Roboto, 'Liberation Sans', Arial, Helvetica, sans-serif"
# Thousandths of the size for U+0020 to U+007E, from the `hmtx` tables of fonts/roboto-*.ttf; a test reads them again.
REGULAR: Final = (
    *(248, 258, 320, 616, 562, 732, 622, 175, 342, 348, 431, 567, 197, 276, 264, 413, 562, 562, 562, 562, 562, 562),
    *(562, 562, 562, 562, 242, 211, 508, 549, 523, 473, 898, 652, 623, 651, 656, 568, 553, 681, 713, 272, 552, 627),
    *(539, 873, 713, 688, 631, 688, 616, 594, 597, 648, 637, 887, 627, 601, 599, 265, 411, 265, 418, 451, 309, 544),
    *(562, 523, 564, 530, 348, 562, 551, 243, 239, 507, 243, 877, 552, 570, 562, 568, 339, 516, 327, 551, 484, 751),
    *(496, 473, 496, 338, 244, 338, 680),
)
BOLD: Final = (
    *(249, 272, 321, 596, 574, 738, 656, 162, 351, 353, 454, 546, 245, 388, 291, 374, 574, 574, 574, 574, 574, 574),
    *(574, 574, 574, 574, 282, 262, 509, 572, 517, 498, 895, 673, 638, 655, 650, 562, 548, 681, 707, 292, 559, 635),
    *(542, 876, 707, 690, 646, 690, 638, 615, 619, 658, 654, 875, 636, 619, 606, 278, 422, 278, 438, 447, 331, 536),
    *(563, 522, 564, 541, 358, 571, 560, 265, 260, 534, 265, 866, 560, 565, 563, 565, 365, 515, 338, 560, 506, 735),
    *(509, 502, 509, 331, 253, 331, 649),
)
WIDE = 1000  # anything else is taken to be as wide as it is high, so that room is never short


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in the picture's units; a fallback font of a page may differ by a few per cent."""
    table = BOLD if bold else REGULAR
    return size / 1000 * sum(table[ord(c) - 32] if 32 <= ord(c) < 127 else WIDE for c in text)


def shorten(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, or as much of its beginning as `room` holds, with an ellipsis."""
    most = int(room / size * 8) + 1  # no character is narrower than an eighth of the size
    if len(text) <= most and width(text, size, bold=bold) <= room:
        return text
    kept = text[:most]
    while kept and width(kept + "…", size, bold=bold) > room:
        kept = kept[:-1]
    return kept.rstrip() + "…" if kept else ""


def wrap(text: str, room: float, size: float, lines: int) -> list[str]:
    """The text in at most `lines` lines of `room`; what does not fit ends in an ellipsis."""
    out, words = [""], text.split()
    for n, word in enumerate(words):
        longer = f"{out[-1]} {word}".strip()
        if width(longer, size) <= room or not out[-1]:
            out[-1] = longer
        elif len(out) < lines:
            out.append(word)
        else:
            out[-1] = f"{out[-1]} {' '.join(words[n:])}"
            break
    return [shorten(line, room, size) for line in out]


def spread(wanted: list[float], wides: list[float], low: float, high: float, gap: float = 14) -> list[float]:
    """Left ends of labels, each as near to its wanted centre as it can be, in order and without an overlap."""
    starts: list[float] = []
    for centre, wide in zip(wanted, wides, strict=True):
        start = max(low, centre - wide / 2)
        starts.append(max(start, starts[-1] + wides[len(starts) - 1] + gap) if starts else start)
    for n in reversed(range(len(starts))):
        starts[n] = min(starts[n], high - wides[n])
        high = starts[n] - gap
    return starts
