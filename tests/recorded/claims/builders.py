"""Cases that a test module gives: `RECORDED_CASES = {claim: {"pass": lambda: (observation, inventory), …}}`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from assumptions._core import Outcome
from inventories.schema import Inventory
from tests.recorded.claims.case import Case, made

NAME = "RECORDED_CASES"
ROOT = Path(__file__).parents[3]
Built = Callable[[], tuple[object, str | Inventory]]
Given = Mapping[str, Mapping[str, Built]]


def built(claim_id: str) -> Iterator[Case]:
    """What the tests give for one claim."""
    for module, cases in _given(claim_id):
        for word, build in cases.get(claim_id, {}).items():
            seen, inventory = build()
            yield made(claim_id, Outcome[word.upper()], seen, inventory, f"built: {module}")


def _given(claim_id: str) -> Iterator[tuple[str, Given]]:
    """Of the modules that name the claim; no other is imported."""
    own = Path(__file__).with_name("given.py")
    for file in (own, *sorted((ROOT / "tests/assumptions").glob("test_*.py"))):
        text = file.read_text(encoding="utf-8")
        if f"\n{NAME}" in text and f'"{claim_id}"' in text:
            name = file.relative_to(ROOT).with_suffix("")
            yield f"{name}.py", getattr(importlib.import_module(".".join(name.parts)), NAME)
