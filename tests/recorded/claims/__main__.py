"""Writes recorded cases.

python -m tests.recorded.claims renew [CLAIM…]       from RECORDED_CASES of the tests; what a run gave is restamped
python -m tests.recorded.claims harvest [CLAIM…]     what is missing then, from what the tests give the judges
python -m tests.recorded.claims take LEDGER CLAIM… [--stage STAGE]     from a run's evidence.jsonl
python -m tests.recorded.claims missing              which cases there are not
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assumptions._core import Outcome
from assumptions._observation import NotAgain
from assumptions._registry import claim, claims
from inventories.schema import Inventory
from tests.recorded import recordings
from tests.recorded.claims.builders import built
from tests.recorded.claims.case import FOLDER, NEEDED, NEVER, Case, Refused, all_cases, read, written
from tests.recorded.claims.harvest import chosen, harvested

RECORDED = "recorded: "


def renew(ids: Sequence[str]) -> int:
    """From the tests; a case of a run keeps its observation and gets the claim's version."""
    refused = 0
    for claim_id in ids or [each.id for each in claims()]:
        given = {case.outcome: case for case in built(claim_id)}
        for case in all_cases():
            if case.claim == claim_id and (case.source.startswith(RECORDED) or case.outcome not in given):
                given[case.outcome] = replace(case, version=claim(claim_id).version)
        refused += sum(not _write(case) for case in given.values())
    return 1 if refused else 0


def harvest(ids: Sequence[str], all_of_them: bool) -> int:
    """From what the tests give the judges, for cases that are not there."""
    wanted = list(ids) or [each.id for each in claims()]
    lines = harvested(["tests/assumptions"])
    for claim_id in wanted:
        for case in chosen(lines, claim_id):
            if not case.path.exists() or (all_of_them and "::" in read(case.path).source):
                _write(case)
    return missing()


def take(ledger: Path, ids: Sequence[str], stage: str) -> int:
    """What a run saw; the last record of each outcome counts."""
    for claim_id in ids:
        for case in _of_run(ledger, claim_id, stage):
            _write(case)
    return 0


def _of_run(ledger: Path, claim_id: str, stage: str) -> Iterator[Case]:
    told = Inventory.model_validate_json((ledger.parent / "inventory.json").read_text(encoding="utf-8"))
    for text in ledger.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if line.get("claim") != claim_id or line.get("observation") is None or stage not in ("", line["stage"]):
            continue
        if (outcome := Outcome(line["finding"]["outcome"])) in NEEDED:
            source = f"{RECORDED}{told.name}, {line['stage']}, {line['engine']}, {line['started_at'][:10]}"
            version = claim(claim_id).version
            yield Case(claim_id, version, outcome, source, *_where(told, line["observation"]))


def _where(told: Inventory, seen: Any) -> tuple[str | dict[str, Any], Any]:
    """A rehearsal's without the checkout's folder, which is another on each machine."""
    if told.kind != "rehearsal":
        return written(told), seen
    checkout = told.hosts[0].root.removesuffix("/.rehearsal/host")
    return told.name, json.loads(json.dumps(seen).replace(checkout, recordings.CHECKOUT))


def missing() -> int:
    """1 where a claim lacks a case."""
    lacking = [
        f"{each.id}: {outcome.lower()}" for each in claims() for outcome in NEEDED if not _there(each.id, outcome)
    ]
    print("\n".join(lacking) or "every claim has its three cases")
    return 1 if lacking else 0


def _there(claim_id: str, outcome: Outcome) -> bool:
    return (claim_id, outcome) in NEVER or (FOLDER / claim_id / f"{outcome.lower()}.json").exists()


def _write(case: Case) -> bool:
    try:
        case.write()
    except (Refused, NotAgain) as why:
        print(f"not written: {case.claim} {case.outcome}: {why}", file=sys.stderr)
        return False
    print(case.path.relative_to(FOLDER), "from", case.source)
    return True


def main(words: Sequence[str] | None = None) -> int:
    """The commands above."""
    parser = argparse.ArgumentParser(prog="python -m tests.recorded.claims")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("renew").add_argument("claims", nargs="*")
    gathering = verbs.add_parser("harvest")
    gathering.add_argument("claims", nargs="*")
    gathering.add_argument("--all", action="store_true", help="also those that a test gave before")
    taking = verbs.add_parser("take")
    taking.add_argument("ledger", type=Path)
    taking.add_argument("claims", nargs="+")
    taking.add_argument("--stage", default="")
    verbs.add_parser("missing")
    told = parser.parse_args(words)
    if told.verb == "renew":
        return renew(told.claims)
    if told.verb == "harvest":
        return harvest(told.claims, told.all)
    return take(told.ledger, told.claims, told.stage) if told.verb == "take" else missing()


if __name__ == "__main__":
    sys.exit(main())
