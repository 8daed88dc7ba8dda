"""What a plan shows beside its verdict: whether it fits, what would, and the launch flags.  Reads the catalog alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from assumptions._memory_question import arguments, unsupported_engine
from assumptions._pictures.fit_map import Cell
from assumptions.formulas.memory import UnsupportedConfig, fit, read
from assumptions.formulas.offers import Option
from assumptions.formulas.search import ABLE
from flows.alternatives import Alternatives, for_inventory, launch_flags
from flows.cost import CostSheet
from flows.cost import sheet as cost_sheet
from flows.fit import of_inventory
from inventories.figures import model
from inventories.schema import Inventory
from tasks.engines.base import Flag, engine

CONTEXTS = tuple(2**power for power in range(12, 19))  # 4,096 to 262,144 tokens
REQUESTS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class PlanSheet:
    """`fit` is the object of `beachhead fit --json`; `flags` start what `flags_for` names."""

    fit: Mapping[str, Any]
    alternatives: Alternatives
    cells: tuple[Cell, ...]
    flags_for: str
    flags: tuple[Flag, ...]
    cost: CostSheet | None = None  # of a purchase; a rehearsal is none

    def to_json(self) -> dict[str, Any]:
        """Plain values, under the names that `beachhead plan --json` adds to its object."""
        return {
            "fit": dict(self.fit),
            "fit_map": [asdict(cell) for cell in self.cells],
            "alternatives": self.alternatives.to_json(),
            "launch": {"for": self.flags_for, "flags": [{"words": f.words, "why": f.why} for f in self.flags]},
            "cost": self.cost.to_json() if self.cost else None,
        }


def sheet(inventory: Inventory) -> PlanSheet:
    """The sheet of one inventory; BadInput where its options contradict one another."""
    told, others = of_inventory(inventory), for_inventory(inventory)
    flags_for, flags = _launch(inventory, told, others)
    money = cost_sheet(inventory, judged=False) if inventory.kind == "production" else None
    return PlanSheet(told, others, tuple(_cells(inventory)), flags_for, flags, money)


def _cells(inventory: Inventory) -> Iterator[Cell]:
    """The declared hosts and settings, asked for other contexts and concurrencies."""
    if unsupported_engine(inventory) is not None:
        return
    config = model(inventory.model.catalog).read_config()
    try:
        known = read(config)
    except UnsupportedConfig:
        return
    ask = arguments(inventory, config)
    declared = inventory.serving
    for context in sorted({*CONTEXTS, declared.context_tokens}):
        for requests in sorted({*REQUESTS, declared.concurrent_requests}):
            ask |= {"context_tokens": context, "concurrent_requests": requests}
            if context <= known.positions:
                yield Cell(context, requests, fit(known, **ask).verdict)


def _launch(inventory: Inventory, told: Mapping[str, Any], others: Alternatives) -> tuple[str, tuple[Flag, ...]]:
    """Flags of the inventory itself where it may fit or isn't modelled; else of the best that would."""
    if told["verdict"] != "does-not-fit":
        head = inventory.hosts[0]
        folder = inventory.model_dir(inventory.model.catalog, inventory.model.revision or "REVISION", head)
        flags = getattr(engine(inventory.engine.kind), "flags", None)  # an engine that can't serve yet has none
        return ("the inventory as declared", flags(inventory, folder)) if flags else ("", ())
    for option in _candidates(inventory, others):
        if flags := launch_flags(inventory, option):
            return _named(option), flags
    return "", ()


def _candidates(inventory: Inventory, others: Alternatives) -> Iterator[Option]:
    """Declared settings that hold the whole context without offloading, then what is proven, then the longest here."""
    able = [row for row in others.declared if row.verdict in ABLE and not row.cpu_offload_gib]
    yield from (row for row in able if row.context_tokens == inventory.serving.context_tokens)
    yield from others.proven
    yield from sorted(able, key=lambda row: -row.context_tokens)
    yield from others.on_paper


def _named(option: Option) -> str:
    return f"{option.title}, {option.context_tokens:,} tokens ({option.verdict})"
