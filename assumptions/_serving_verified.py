"""When the weights' digests were last compared with the hub's, by the ledgers of this run and of earlier ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assumptions._core import Evidence, Outcome, Stage
from assumptions._ledger import Ledger, LedgerBroken
from tasks.site import Site

CLAIM = "weights-intact"
RUNS = 50  # ledgers that are looked at, newest first


@dataclass(frozen=True, slots=True)
class Verified:
    """One judgement of weights-intact: its run, its beginning (seconds since 1970, this machine's clock), its word."""

    run: str
    began: float
    held: bool


def verified(site: Site) -> Verified | None:
    """The newest judgement of this model's weights that came to an answer; None where there is none."""
    model = f"{site.inventory.model.catalog}@{site.inventory.model.revision}"
    for folder in (site.folder, *_earlier(site.folder)):
        for record in reversed(_records(folder)):
            if _answers(record, model):
                held = record.finding.outcome is Outcome.PASS
                return Verified(folder.name, record.started_at.timestamp(), held)
    return None


def _answers(record: Evidence, model: str) -> bool:
    told = record.finding.outcome in (Outcome.PASS, Outcome.FAIL)
    return told and (record.claim, record.stage, record.model) == (CLAIM, Stage.WEIGHTS, model)


def _earlier(folder: Path) -> list[Path]:
    """The folders of the inventory's other runs, newest first: a run's id begins with its time."""
    beside = folder.parent.iterdir() if folder.parent.is_dir() else ()
    names = sorted((each for each in beside if each.is_dir() and each != folder), reverse=True)
    return [each for each in names if (each / "evidence.jsonl").exists()][:RUNS]


def _records(folder: Path) -> list[Evidence]:
    """A ledger's whole records; one of an older form, or torn by hand, tells nothing."""
    try:
        return Ledger(folder).read_partial()[0]
    except LedgerBroken:
        return []
