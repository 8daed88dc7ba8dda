"""One recorded case: what a claim saw, as the ledger holds it, and what its judge says of that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from assumptions._core import Finding, Outcome
from assumptions._judge import failed, rejudged
from assumptions._observation import recorded
from assumptions._registry import claim
from inventories.load import load, names
from inventories.schema import Inventory
from tasks.redaction import Redactor
from tests.recorded import recordings

FOLDER = Path(__file__).parent
NEEDED = (Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN)

NEVER = {  # claim, outcome: why there is no such case
    (
        "guide-manifests",
        Outcome.UNKNOWN,
    ): "the guide's files stand in the product; nothing is asked that could fail",
    ("guide-proxy", Outcome.UNKNOWN): "the guide's file stands in the product; nothing is asked that could fail",
}


class Refused(ValueError):
    """This is no case of that outcome; the message says why."""


class Raised(Exception):
    """What looking raised, by its name and words; it stands for the error itself."""


@dataclass(frozen=True)
class Case:
    """A file below `tests/recorded/claims/<claim>/`.  `raised` replaces the observation where looking failed."""

    claim: str
    version: int
    outcome: Outcome
    source: str  # "recorded: …" of a run, "built: …" by a test
    inventory: str | dict[str, Any]  # a shipped one's name, or one written out
    observation: Any = None
    raised: str = ""

    @property
    def path(self) -> Path:
        """Where it lies."""
        return FOLDER / self.claim / f"{self.outcome.lower()}.json"

    def finding(self) -> Finding:
        """What the judge says today."""
        if self.raised:
            return failed(Raised(self.raised))
        return rejudged(claim(self.claim), self.observation, inventory_of(self.inventory))

    def write(self) -> None:
        """To its file, if its judge says what it stands for."""
        found = self.finding().outcome
        if found is not self.outcome:
            raise Refused(f"{self.claim}: judged from the file it is {found}, not {self.outcome}")
        body = {"claim": self.claim, "version": self.version, "outcome": self.outcome, "source": self.source}
        body |= {"inventory": self.inventory}
        body |= {"raised": self.raised} if self.raised else {"observation": self.observation}
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> Case:
    """The case in a file."""
    body = json.loads(path.read_text(encoding="utf-8"))
    return Case(**{**body, "outcome": Outcome(body["outcome"])})


def all_cases() -> Iterator[Case]:
    """Every case there is."""
    for path in sorted(FOLDER.glob("*/*.json")):
        yield read(path)


def made(claim_id: str, outcome: Outcome, seen: object, inventory: str | Inventory, source: str) -> Case:
    """A case of an observation, or of an error that looking raised."""
    known, where = claim(claim_id), written(inventory)
    if isinstance(seen, Exception):
        return Case(claim_id, known.version, outcome, source, where, raised=f"{type(seen).__name__}: {seen}")
    return Case(claim_id, known.version, outcome, source, where, recorded(seen, Redactor()))


@cache
def named(name: str) -> Inventory:
    """A shipped inventory, as the tests read it."""
    with patch.dict("os.environ", {"BEACHHEAD_CHECKOUT": recordings.CHECKOUT, "BEACHHEAD_FIND_LINKS": ""}):
        return load(name)


def inventory_of(value: str | dict[str, Any]) -> Inventory:
    """The inventory of a case."""
    return named(value) if isinstance(value, str) else Inventory.model_validate(value)


def written(inventory: str | Inventory) -> str | dict[str, Any]:
    """The name where it is a shipped one as it stands; else all that it declares."""
    if isinstance(inventory, str):
        return inventory
    if inventory.name in names() and named(inventory.name) == inventory:
        return inventory.name
    for unset in (True, False):
        told: dict[str, Any] = inventory.model_dump(mode="json", exclude_unset=unset)
        if Inventory.model_validate(told) == inventory:
            return told
    raise Refused(f"the inventory {inventory.name} does not come back from JSON")
