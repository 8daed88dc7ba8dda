"""An SVG in the making.  One drawing serves the page, the printer and the PNG: plain attributes, no script, no style.

Shades and hatches carry the meaning, never the hue alone.  The classes let a dark page recolour paper, ink and rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Final

from assumptions._pictures.metrics import FONT, shorten, width, wrap
from assumptions._report_text import clean

PAPER, INK, SOFT, RULE = "#ffffff", "#1a1e23", "#55606b", "#c3cad1"
DARK, MIDDLE, PALE, ALARM = "#2b4a6b", "#a9c3da", "#e6edf3", "#a3171c"
WIDTH: Final = 760.0
BODY, SMALL = 13.0, 11.5
PATTERNS: Final = {  # side of the tile, and what is drawn in it
    "hatch": (7, f'<path d="M-2 2 2-2M0 7 7 0M5 9 9 5" stroke="{INK}" stroke-width="1.6"/>'),
    "sparse": (9, f'<path d="M-2 2 2-2M0 9 9 0M7 11 11 7" stroke="{SOFT}" stroke-width="0.9"/>'),
    "back": (9, f'<path d="M-2 7 2 11M0 0 9 9M7-2 11 2" stroke="{SOFT}" stroke-width="0.9"/>'),
    "cross": (8, f'<path d="M0 0 8 8M0 8 8 0" stroke="{PAPER}" stroke-width="1.4"/>'),
    "dots": (7, f'<circle cx="2" cy="2" r="1" fill="{SOFT}"/>'),
}
CLASSES: Final = {PAPER: "paper", INK: "ink", SOFT: "soft", RULE: "rule", ALARM: "alarm", DARK: "deep"}


@dataclass(slots=True)
class Canvas:
    """Marks are drawn in the order they are added.  `name` begins every id, so that pictures share a page."""

    name: str
    parts: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def rect(self, x: float, y: float, wide: float, high: float, fill: str, *, edge: str = "", dash: str = "") -> None:
        """A box; nothing where it has no area.  `fill` is a colour or the name of a pattern."""
        if wide > 0 and high > 0:
            box = f'<rect x="{at(x)}" y="{at(y)}" width="{at(wide)}" height="{at(high)}"'
            self.parts.append(f"{box}{self._paint(fill, edge, 1.2, dash)}/>")

    def line(self, x1: float, y1: float, x2: float, y2: float, ink: str = INK, wide: float = 1, dash: str = "") -> None:
        """A straight line."""
        ends = f'x1="{at(x1)}" y1="{at(y1)}" x2="{at(x2)}" y2="{at(y2)}"'
        self.parts.append(f"<line {ends}{self._paint('', ink, wide, dash)}/>")

    def track(
        self, points: list[tuple[float, float]], ink: str, wide: float, dash: str = "", *, fill: str = "none"
    ) -> None:
        """A line through points, closed when it is filled."""
        if len(points) > 1:
            drawn = "M" + "L".join(f"{at(x)} {at(y)}" for x, y in points) + ("" if fill == "none" else "Z")
            self.parts.append(f'<path d="{drawn}"{self._paint(fill, ink, wide, dash)}/>')

    def ring(self, x: float, y: float, radius: float, ink: str = INK, wide: float = 2.5, fill: str = "none") -> None:
        """A circle."""
        place = f'cx="{at(x)}" cy="{at(y)}" r="{at(radius)}"'
        self.parts.append(f"<circle {place}{self._paint(fill, ink, wide)}/>")

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = BODY,
        anchor: str = "start",
        bold: bool = False,
        ink: str = INK,
        room: float = WIDTH,
        on_mark: bool = False,
        backed: bool = False,
    ) -> None:
        """Words on the base line `y`, cut to `room`.

        `on_mark` keeps their colour on a dark page; `backed` puts paper behind them, over the lines that pass there.
        """
        words = " ".join(clean(words).split())
        shown = shorten(words, room, size, bold=bold)
        if not shown:
            return
        whole = f"<title>{escape(words)}</title>" if shown != words else ""
        mark = "" if on_mark or ink not in CLASSES else f' class="{CLASSES[ink]}"'
        weight = ' font-weight="700"' if bold else ""
        if backed:
            wide = width(shown, size, bold=bold)
            start = x - wide * {"start": 0.0, "middle": 0.5}.get(anchor, 1.0)
            self.rect(start - 3, y - size, wide + 6, size * 1.3, PAPER)
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self.parts.append(
            f'<text x="{at(x)}" y="{at(y)}" font-size="{at(size)}"{place}{weight}{mark} fill="{ink}">'
            f"{escape(shown)}{whole}</text>"
        )

    def caption(self, y: float, words: str) -> float:
        """Small soft lines below the picture; gives the base line of the last."""
        for n, line in enumerate(wrap(" ".join(clean(words).split()), WIDTH - 8, SMALL, 4)):
            self.text(4, y + 15 * n, line, size=SMALL, ink=SOFT)
            last = y + 15 * n
        return last

    def svg(self, height: float, title: str, description: str) -> str:
        """The whole drawing, with words for those who can't see it."""
        tiles = "".join(
            f'<pattern id="{self.name}-{each}" width="{PATTERNS[each][0]}" height="{PATTERNS[each][0]}" '
            f'patternUnits="userSpaceOnUse">{PATTERNS[each][1]}</pattern>'
            for each in sorted(self.used)
        )
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {at(WIDTH)} {at(height)}" role="img" '
            f'aria-labelledby="{self.name}-title {self.name}-desc" font-family="{escape(FONT)}">'
            f'<title id="{self.name}-title">{escape(clean(title))}</title>'
            f'<desc id="{self.name}-desc">{escape(clean(description))}</desc>'
        )
        return head + (f"<defs>{tiles}</defs>" if tiles else "") + "".join(self.parts) + "</svg>"

    def _paint(self, fill: str, edge: str, wide: float, dash: str = "") -> str:
        """The attributes of a shape's inside and edge; one class names both, for a dark page."""
        if fill in PATTERNS:
            self.used.add(fill)
        marks = [fill == PAPER and "paper", edge in CLASSES and f"{CLASSES[edge]}-line"]
        named = " ".join(each for each in marks if each)
        drawn = f' class="{named}"' if named else ""
        if fill:
            drawn += f' fill="url(#{self.name}-{fill})"' if fill in PATTERNS else f' fill="{fill}"'
        if edge:
            drawn += f' stroke="{edge}" stroke-width="{at(wide)}"'
        return drawn + (f' stroke-dasharray="{dash}"' if dash else "")


def at(value: float) -> str:
    """A coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
