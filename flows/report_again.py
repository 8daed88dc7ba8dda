"""A run's report written anew from its own files, by this version: nothing is judged and no host is asked."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from assumptions._conclusion import Ending, Header
from assumptions._ledger import Ledger
from assumptions._plan_view import PlanView
from assumptions._report import RunFacts, render
from assumptions._report_price import price_of
from assumptions._seal import told
from assumptions._tables import TablesResult
from assumptions._terms import catalog_sha256
from assumptions._typed import typed
from flows.plan_sheet import sheet
from flows.plan_view import view
from inventories.errors import BadInput
from inventories.schema import Inventory
from tasks import chain


def again(folder: Path) -> Path:
    """Write report.html and report.md of a run that ended; gives the page.  BadInput where its files can't be read."""
    ledger = Ledger(folder)
    header, ending = ledger.header(), ledger.ending()
    if header is None or ending is None:
        raise BadInput("this run did not end, or is of the first form", where=str(folder), fix="run the flow again")
    began, ended = told(Header, header), told(Ending, ending)
    inventory = Inventory.model_validate(json.loads((folder / "inventory.json").read_text(encoding="utf-8")))
    facts = replace(_facts(folder), waivers=began.waivers, price=price_of(inventory))
    docs = folder / "data_docs" / "index.html"
    tables = TablesResult(ended.circumstances.tables_ok, data_docs=docs if docs.exists() else None)
    plan, png = _plan(folder, inventory, began), (folder / "pictures").exists()
    return render(facts, ended.verdict, ledger.read(), tables, _trail(folder), folder, plan, png=png)[1]


def _trail(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "raw" / "trail.jsonl").read_text(encoding="utf-8").splitlines()
    return [chain.bare(json.loads(line)) for line in lines]


def _facts(folder: Path) -> RunFacts:
    """What run.json says of the run; fields that an older one lacks have their defaults."""
    said: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    names = {field.name for field in fields(RunFacts)}
    try:
        facts: RunFacts = typed(RunFacts, {name: value for name, value in said.items() if name in names})
    except ValueError as error:
        raise BadInput(f"run.json can't be read: {error}", where=str(folder), fix="take the run's own files") from None
    return facts


def _plan(folder: Path, inventory: Inventory, header: Header) -> PlanView | None:
    """The plan's sections, where this installation's catalog is the one that they were worked out from."""
    if not (folder / "plan.json").exists() or header.catalog_sha256 != catalog_sha256():
        return None
    return view(inventory, sheet(inventory))
