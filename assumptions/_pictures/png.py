"""A drawing as a PNG file, by resvg: the very same SVG, in the font that lies beside this file.

Nothing of the machine is needed: no display, no font, no network.  The two of a plan take some 100 ms on one slow core.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from assumptions._pictures.canvas import PAPER

FONTS: Final = Path(__file__).parent / "fonts"
ZOOM: Final = 1.5  # 1,140 pixels wide: 150 an inch when printed 19 cm wide
LAST_LETTER: Final = "\u03c9"  # of the font's letters; signs beyond it that it has are listed below
SIGNS: Final = frozenset("‐‑‒–—―‘’‚“”„†•…‰€™←↑↓−≈≠≤≥�")


class CannotDraw(ValueError):
    """resvg refused a drawing; it says why."""


def write(svg: str, path: Path) -> Path:
    """Draw `svg` on white paper into `path`; CannotDraw when resvg refuses it, OSError when the disk does."""
    import resvg_py  # here, because it is only needed where pictures are written

    foreign = any(letter > LAST_LETTER and letter not in SIGNS for letter in svg)
    try:
        drawn = resvg_py.svg_to_bytes(
            svg_string=svg,
            background=PAPER,
            zoom=ZOOM,
            font_files=[str(each) for each in sorted(FONTS.glob("*.ttf"))],
            font_family="Roboto",
            sans_serif_family="Roboto",
            skip_system_fonts=not foreign,  # reading them takes 50 ms and makes pictures differ between machines
        )
    except ValueError as error:
        raise CannotDraw(f"{path.name}: {error}") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(drawn)
    return path
