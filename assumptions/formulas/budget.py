"""Where one GPU's budget goes, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from assumptions.formulas.question import Question
from assumptions.formulas.shapes import GIB, Range
from assumptions.formulas.verdict import BudgetRow
from assumptions.formulas.weights import Split

EXACT, MODELLED, DECLARED, MEASURED = "computed from config.json", "modelled", "declared", "measured here"
READ = "read from the files' headers"
NAMES = {
    "experts": "routed experts",
    "divided": "weights divided over ranks",
    "whole": "weights whole on each rank",
    "vision": "vision tower",
    "draft": "draft model",
}


def stage_rows(
    ask: Question, number: int, part: Split, per_token: int, room: Range, overhead: Range
) -> Iterator[BudgetRow]:
    """The lines of one stage; at `mid` all but the last add up to it, the budget."""
    stored = EXACT if ask.stored is None else READ
    for key, name in NAMES.items():
        size = getattr(part, key) / GIB
        if size:
            yield BudgetRow(number, name, size, size, size, EXACT if key == "draft" else stored)
    moved = min(ask.cpu_offload_gib, part.total / GIB)
    if moved:
        yield BudgetRow(number, "moved to host memory", -moved, -moved, -moved, DECLARED)
    basis = MODELLED if ask.overhead_gib is None else MEASURED
    yield BudgetRow(number, "overhead", overhead.low, overhead.mid, overhead.high, basis)
    wanted = ask.needed_tokens * per_token / GIB
    yield BudgetRow(number, "KV of the wanted requests", wanted, wanted, wanted, EXACT)
    yield BudgetRow(number, "left", room.low - wanted, room.mid - wanted, room.high - wanted, basis)
    yield BudgetRow(number, "budget", ask.budget_gib, ask.budget_gib, ask.budget_gib, DECLARED)
