"""Grounds without a machine: an inventory with one thing changed, and observations that were recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assumptions._core import Finding, Outcome, Stage
from assumptions._judge import judge
from assumptions._registry import claim, claims
from flows.drill_pairs import Healthy, Look, Pair
from inventories.load import load
from inventories.schema import Inventory
from tasks.site import Site
from tests.recorded.claims.case import FOLDER, read

FAIL, UNKNOWN = frozenset({Outcome.FAIL}), frozenset({Outcome.UNKNOWN})
FITS = "h200x8"


def _host(**changes: Any) -> Callable[[Inventory], Inventory]:
    def change(inventory: Inventory) -> Inventory:
        head, *others = inventory.hosts
        return inventory.model_copy(update={"hosts": (head.model_copy(update=changes), *others)})

    return change


def _four(inventory: Inventory) -> Inventory:
    smaller = _host(gpus=4)(inventory)
    return smaller.model_copy(update={"engine": smaller.engine.model_copy(update={"tensor_parallel": 4})})


def _serving(**changes: Any) -> Callable[[Inventory], Inventory]:
    def change(inventory: Inventory) -> Inventory:
        return inventory.model_copy(update={"serving": inventory.serving.model_copy(update=changes)})

    return change


def _unquantised(inventory: Inventory) -> Inventory:
    options = {**inventory.engine.options, "gpu_memory_utilization": 0.3}
    return inventory.model_copy(update={"engine": inventory.engine.model_copy(update={"options": options})})


Change = Callable[[Inventory], Inventory]
CHANGED: tuple[tuple[str, str, str, Change, frozenset[Outcome]], ...] = (
    ("memory-fit", "half-the-cards", "four cards instead of eight", _four, FAIL),
    ("memory-fit", "smaller-cards", "H100 with 80 GB instead of H200", _host(gpu="h100-80gb"), FAIL),
    ("memory-fit", "many-windows", "a hundred full contexts at once", _serving(concurrent_requests=100), FAIL),
    ("memory-fit", "small-share", "the engine may take 30 % of the memory", _unquantised, FAIL),
    ("memory-fit", "unmeasured-card", "a card on which nobody measured", _host(gpu="b200"), UNKNOWN),
)


class PlanGround:
    """An inventory that fits, with one thing changed; no host is there."""

    name = "a changed inventory"
    served = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pairs(self) -> Sequence[Pair]:
        return [
            Pair(name, Stage.PLAN, fault, says, expected, self._look(name, change))
            for name, fault, says, change, expected in CHANGED
        ]

    def healthy(self) -> Sequence[Healthy]:
        return [Healthy(name, Stage.PLAN, self._look(name, lambda it: it)) for name in {row[0]: 0 for row in CHANGED}]

    def _look(self, name: str, change: Change) -> Look:
        def play() -> Finding:
            site = Site(change(load(FITS)), self._folder)
            try:
                return judge(site, claim(name), Stage.PLAN).evidence.finding
            finally:
                site.close()

        return play

    def close(self) -> None:
        """Nothing was set up."""


class RecordedGround:
    """Each claim's recorded failure against its recorded success: shows that the judge can say both, and no more."""

    name = "a recorded observation"
    served = False

    def _cases(self, outcome: Outcome) -> dict[str, Path]:
        files = {each.id: FOLDER / each.id / f"{outcome.lower()}.json" for each in claims()}
        return {name: file for name, file in files.items() if file.exists()}

    def pairs(self) -> Sequence[Pair]:
        passes = self._cases(Outcome.PASS)
        return [
            Pair(
                name,
                claim(name).stages[-1],
                "recorded-failure",
                "what was seen where the claim does not hold",
                FAIL,
                self._look(file),
            )
            for name, file in self._cases(Outcome.FAIL).items()
            if name in passes
        ]

    def healthy(self) -> Sequence[Healthy]:
        passes = self._cases(Outcome.PASS)
        return [Healthy(pair.claim, pair.stage, self._look(passes[pair.claim])) for pair in self.pairs()]

    def _look(self, file: Path) -> Look:
        return lambda: read(file).finding()

    def close(self) -> None:
        """Nothing was set up."""
