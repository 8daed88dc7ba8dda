"""The tables of a plan, ready to print: where the budget goes, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from assumptions._pictures.amounts import between, finite, gib, span
from assumptions._pictures.loads import budget_rows
from assumptions._plan_view import Figure, PlanView

COUNTS: Final = (  # key of the answer, what it is called, its unit
    ("kv_tokens", "KV tokens in all", ""),
    ("max_context_tokens", "longest context", " tokens"),
    ("concurrent_requests", "requests of the wanted context at once", ""),
)
ON_THE_HOST: Final = (
    ("host_ram_gib", "host memory at its peak", " GiB a host"),
    ("shm_gib", "shared memory (/dev/shm)", " GiB a host"),
    ("disk_gib", "disk", " GiB a host"),
    ("load_seconds", "time to load", " s"),
)


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One line of the budget table, ready to print."""

    part: str
    low: str
    mid: str
    high: str
    basis: str


def budget_lines(plan: PlanView) -> list[BudgetLine]:
    """GiB on each GPU: the card, and what fills its budget, stage by stage where there are several."""
    card, rows = finite(plan.gpu_memory_gib), budget_rows(plan.fit)
    found = [_budget_line("card, as CUDA reports it", (card, card, card), plan.gpu_memory_basis)]
    several = len({str(row["stage"]) for row in rows}) > 1
    for row in rows:
        stage = f"stage {row['stage']}: " if several else ""
        ends = tuple(finite(row[edge]) for edge in ("low", "mid", "high"))
        found.append(_budget_line(f"{stage}{row['component']}", ends, str(row["basis"])))
    return found if rows else [*found, *_plain_lines(plan.fit)]


def _plain_lines(fit: Mapping[str, Any]) -> Iterator[BudgetLine]:
    """The table of an answer that has none of its own."""
    budget, weights = finite(fit.get("budget_gib")), finite(fit.get("weights_gib_per_gpu"))
    yield _budget_line("engine's budget", (budget, budget, budget), "declared")
    yield _budget_line("weights", (weights, weights, weights), "computed from config.json")
    yield _budget_line("overhead", span(fit.get("overhead_gib")) or (None,), "modelled")
    yield _budget_line("left for KV", span(fit.get("kv_gib_per_gpu")) or (None,), "modelled")


def _budget_line(part: str, ends: Sequence[float | None], basis: str) -> BudgetLine:
    if len(ends) != 3 or any(each is None for each in ends):
        return BudgetLine(part, "not known", "not known", "not known", basis)
    low, mid, high = (gib(each or 0.0) for each in ends)
    return BudgetLine(part, low, mid, high, basis)


def fit_figures(plan: PlanView) -> list[tuple[str, Figure]]:
    """What follows from the budget: tokens, contexts, requests, host memory, disk, load time."""
    fit, found = plan.fit, list[tuple[str, Figure]]()
    per_token = finite(fit.get("kv_bytes_per_token_per_rank"))
    if per_token is not None:
        said = f"{per_token:,.0f} bytes"
        found.append(("KV per token on each rank", Figure(said, "computed from config.json")))
    for key, name, unit in COUNTS:
        if known := span(fit.get(key)):
            low, _, high = (f"{max(0.0, each):,.0f}" for each in known)
            found.append((name, Figure((low if low == high else f"{low} to {high}") + unit, "modelled")))
    for key, name, unit in ON_THE_HOST:
        if (text := _amount(fit.get(key))) is not None:
            found.append((name, Figure(text + unit, "modelled")))
    return found


def _amount(value: Any) -> str | None:
    """A figure or a range of figures."""
    if known := span(value):
        return between(known[0], known[2])
    one = finite(value)
    return None if one is None else gib(one)
