"""How well a claim is known to fail: the figures of the newest drill, read from the inventory's drill.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

NAME = "drill.json"
FORM = 1


@dataclass(frozen=True, slots=True)
class DrillFigures:
    """One claim's figures: faults seen of those played, false alarms of healthy runs, and what it was played on."""

    claim: str
    version: int
    seen: int
    played: int
    false_alarms: int
    healthy_runs: int
    missed: tuple[str, ...]  # the faults that it did not see
    grounds: tuple[str, ...]  # "the served engine", "a scripted host", …
    drilled_at: datetime
    product: str
    run: str  # the drill's folder beside the inventory's runs

    @property
    def sentence(self) -> str:
        """For a person, one line."""
        when = f"{self.drilled_at:%Y-%m-%d}"
        faults, healthy = f"{self.seen} of {self.played} faults seen", f"{self.false_alarms} false alarms"
        return f"{faults}, {healthy} in {self.healthy_runs} healthy runs ({when}, {', '.join(self.grounds)})"


@dataclass(frozen=True, slots=True)
class Drilled:
    """Every claim's newest figures.  `unreadable` says why there are none where a file is there."""

    figures: Mapping[tuple[str, int], DrillFigures]
    unreadable: str = ""

    def of(self, claim: str, version: int) -> DrillFigures | None:
        """The figures of this version of a claim; None: it is unproven, nobody has seen this version fail."""
        return self.figures.get((claim, version))

    def words(self, claim: str, version: int) -> str:
        """The sentence, or "unproven" with the reason."""
        found = self.of(claim, version)
        if found is not None:
            return found.sentence
        older = sorted(known for name, known in self.figures if name == claim)
        if older:
            return f"unproven: version {older[-1]} was drilled, not {version}"
        return f"unproven: {self.unreadable or 'no drill of this claim'}"


def drilled(folder: Path) -> Drilled:
    """The figures for an inventory; `folder` is that of the inventory's runs, or one run's in it.

    Nothing that is wrong with the file stops a report: it is told as `unreadable`.
    """
    file = next((each / NAME for each in (folder.parent, folder) if (each / NAME).is_file()), None)
    if file is None:
        return Drilled({})
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told["form"] != FORM:
            return Drilled({}, f"{NAME} has the form {told['form']!r}, this version reads {FORM}")
        rows = [_figures(row) for row in told["claims"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Drilled({}, f"{NAME} can't be read: {type(error).__name__}")
    return Drilled({(row.claim, row.version): row for row in rows})


def _figures(row: Mapping[str, Any]) -> DrillFigures:
    return DrillFigures(
        claim=str(row["claim"]),
        version=int(row["version"]),
        seen=int(row["seen"]),
        played=int(row["played"]),
        false_alarms=int(row["false_alarms"]),
        healthy_runs=int(row["healthy_runs"]),
        missed=tuple(map(str, row["missed"])),
        grounds=tuple(map(str, row["grounds"])),
        drilled_at=datetime.fromisoformat(row["at"]),
        product=str(row["product"]),
        run=str(row["run"]),
    )
