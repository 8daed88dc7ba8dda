"""The newest whole runs of one deployment under Docker Compose and under Kubernetes, from the evidence kept here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assumptions._core import Outcome, Stage
from assumptions._ledger import Ledger, LedgerBroken
from inventories.schema import Inventory

JUDGED = (Stage.STAGING, Stage.LIVE)
Verdicts = Mapping[tuple[str, Stage], Outcome]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run said of the engine that it staged and promoted."""

    name: str  # inventory and run
    verdicts: Verdicts


def run_of(root: Path, inventory: Inventory, runtime: str) -> Run | None:
    """The newest ended run below `root` with the same model, engine and context under `runtime`; None: there is none.

    Only a run that went as far as LIVE is one: half a run would agree with anything.
    """
    folders = sorted(root.glob("*/*/run.json"), key=lambda file: file.parent.name, reverse=True)
    return next((run for file in folders for run in _runs(file.parent, inventory, runtime)), None)


def _runs(folder: Path, inventory: Inventory, runtime: str) -> Iterator[Run]:
    try:
        told = json.loads((folder / "inventory.json").read_text(encoding="utf-8"))
        records = Ledger(folder).read_partial()[0]
        same = told["serving"].get("runtime") == runtime and _same(told, inventory)
    except (OSError, ValueError, KeyError, TypeError, LedgerBroken):
        return  # of an older form, or damaged: it tells nothing
    verdicts = {(r.claim, r.stage): r.finding.outcome for r in records if r.stage in JUDGED}
    if same and any(stage is Stage.LIVE for _, stage in verdicts):
        yield Run(f"{folder.parent.name}/{folder.name}", verdicts)


def _same(told: Mapping[str, Any], inventory: Inventory) -> bool:
    own = inventory.model_dump(mode="json")
    return (
        told["model"] == own["model"]
        and all(told["engine"].get(key) == own["engine"][key] for key in own["engine"])
        and told["serving"].get("context_tokens") == inventory.serving.context_tokens
    )
