"""The pictures of a plan, drawn; and the same as PNG files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assumptions._pictures import cash_lines, fit_map, png, tornado
from assumptions._pictures.loads import memory_bar
from assumptions._pictures.memory_bar import svg as bar_svg
from assumptions._plan_view import CostView, PlanView

log = logging.getLogger("beachhead")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing under the name of its file."""

    name: str
    svg: str


def fit_pictures(plan: PlanView) -> list[Picture]:
    """The memory bar, and the fit map where one was asked for."""
    drawn = [Picture("memory-bar", bar_svg(memory_bar(plan.fit, plan.gpu_title, plan.gpu_memory_gib, plan.gpu_count)))]
    if plan.fit_map:
        shown = fit_map.FitMap(plan.fit_map, plan.context_tokens, plan.concurrent_requests)
        drawn.append(Picture("fit-map", fit_map.svg(shown)))
    return drawn


def cost_pictures(cost: CostView | None) -> list[Picture]:
    """The lines and the tornado, each only where there is something to draw."""
    drawn = []
    if cost and cost.ways:
        drawn.append(Picture("cash-lines", cash_lines.svg(cash_lines.CashLines(cost.ways, cost.crossings))))
    if cost and cost.swings:
        drawn.append(Picture("tornado", tornado.svg(tornado.Tornado(cost.swings, cost.swings_of))))
    return drawn


def write(pictures: Sequence[Picture], folder: Path) -> list[Path]:
    """Each as `folder`/pictures/NAME.png; one that can't be drawn is left out, and the log says why."""
    written = []
    for each in pictures:
        try:
            written.append(png.write(each.svg, folder / "pictures" / f"{each.name}.png"))
        except png.CannotDraw as refusal:
            log.warning("no PNG: %s; report.html still has the picture", refusal)
    return written
