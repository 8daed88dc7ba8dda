"""Recovery drills as runs recorded them: one entry of the run's trail each, with the environment of then."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assumptions._ledger import NAME
from assumptions._plain import plain
from assumptions._typed import typed
from tasks import chain
from tasks.recovery.result import Drilled

FLOW = "recovery-drill"  # the flow that plays them
KIND = "recovery drill"  # what an entry of the trail is then
TRAIL = "raw/trail.jsonl"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One drill, and the parts of the environment as they were found when it was played."""

    drilled: Drilled
    fingerprint: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """The newest drill of each kind, and what of the records can't be relied on."""

    drills: tuple[Recorded, ...]
    damaged: tuple[str, ...] = ()


def entry(made: Recorded) -> dict[str, Any]:
    """For the trail."""
    said: dict[str, Any] = plain(made)
    return said


def found(folder: Path) -> Found:
    """The drills of the run in `folder` and of the inventory's earlier ones, which lie beside it.

    One that was not played does not take the place of one that was.
    """
    newest: dict[str, Recorded] = {}
    damaged = []
    runs = sorted((path.parent.parent for path in folder.parent.glob(f"*/{TRAIL}")), key=lambda run: run.name)
    for run in reversed(runs):
        if run != folder and not _drills(run):
            continue
        data = (run / TRAIL).read_bytes()
        if broken := chain.breaks(data[: data.rfind(b"\n") + 1]):
            damaged.append(f"{run.name}: line {broken[0].line} of its raw record {broken[0].why}")
            continue
        for each in sorted(_entries(data), key=lambda one: one.drilled.at, reverse=True):
            before = newest.get(each.drilled.drill)
            if before is None or (before.drilled.why_not and not each.drilled.why_not):
                newest[each.drilled.drill] = each
    return Found(tuple(newest[name] for name in sorted(newest)), tuple(damaged))


def _drills(run: Path) -> bool:
    """Whether it is a run that plays them, by the first line of its ledger alone; so too where that can't be read."""
    try:
        with (run / NAME).open("rb") as file:
            return bool(json.loads(file.readline()).get("flow") == FLOW)
    except FileNotFoundError:
        return False  # it ended before it looked at anything
    except (OSError, ValueError, AttributeError):
        return True  # its trail has a chain of its own


def _entries(data: bytes) -> Iterator[Recorded]:
    for _, line, _ in chain.entries(data):
        if line is not None and line.get("kind") == KIND:
            yield typed(Recorded, {name: line[name] for name in ("drilled", "fingerprint")})
