"""One file for one run: its evidence, raw outputs, inventory and catalog, and a signed statement of all of it.

The statement is in-toto's (https://in-toto.io/Statement/v1) with the test-result predicate, v0.1: every file of the
seal is a subject, each claim at each stage a test.  UNKNOWN never counts as passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assumptions._conclusion import Ending, Header
from assumptions._core import Evidence, Outcome, Severity
from assumptions._ledger import ADDED, Ledger
from assumptions._seal_pack import packed
from assumptions._seal_sign import envelope
from assumptions._terms import catalog_files
from assumptions._typed import typed
from assumptions._verdict import Decision
from inventories.errors import BadInput
from tasks import chain

ENVELOPE = "seal.json"
RUN, CATALOG = "run/", "catalog/"
LEFT_OUT = ("data_docs", "pictures", "vendor-pack")  # drawn from the rest, or made for somebody else
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
CERTIFICATE = "urn:beachhead:certificate:v1"  # our own field of the predicate; others ignore it
RESULT = {Decision.GO: "PASSED", Decision.HOLDS: "PASSED", Decision.GO_WITH_WAIVERS: "WARNED"}


def sealed(folder: Path, key: Path) -> bytes:
    """The seal of an ended run; BadInput where the run has not ended or is of the first form."""
    header, ending = _ended(folder)
    files = {f"{RUN}{name}": content for name, content in run_files(folder).items()}
    files |= {f"{CATALOG}{name}": content for name, content in catalog_files().items()}
    told = statement(files, header, ending, Ledger(folder).read())
    return packed({**files, ENVELOPE: envelope(told, key)})


def run_files(folder: Path) -> dict[str, bytes]:
    """What of a run's folder goes into its seal, by path."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    names = {path: path.relative_to(folder) for path in found}
    return {
        name.as_posix(): path.read_bytes()
        for path, name in names.items()
        if name.parts[0] not in LEFT_OUT and not name.name.startswith(".")
    }


def _ended(folder: Path) -> tuple[Header, Ending]:
    ledger = Ledger(folder)
    header, ending = ledger.header(), ledger.ending()
    if header is None:
        what, fix = "this run was recorded before runs could be sealed, or judged nothing", "run it again"
    elif ending is None or not (folder / "run.json").exists():
        what, fix = "this run has not ended: what is there is a part of it", "wait for its end, or run again"
    else:
        return told(Header, header), told(Ending, ending)
    raise BadInput(what, where=str(folder), fix=fix)


def told(kind: type[Any], entry: Mapping[str, Any]) -> Any:
    """A ledger's line as a Header or an Ending; ValueError where it is none."""
    return typed(kind, {key: value for key, value in chain.bare(entry).items() if key not in ADDED})


def statement(
    files: Mapping[str, bytes], header: Header, ending: Ending, records: Sequence[Evidence]
) -> dict[str, Any]:
    """What is signed; it follows from the files alone."""
    digests = {name: {"sha256": chain.sha256(files[name])} for name in sorted(files)}
    subjects = [{"name": name, "digest": digest} for name, digest in digests.items()]
    configured = [each for each in subjects if each["name"] == f"{RUN}inventory.json" or _catalog(str(each["name"]))]
    passed, warned, failed = _tests(records)
    decision = ending.verdict.decision
    return {
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {
            "result": RESULT.get(decision, "FAILED"),
            "configuration": configured,
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
            CERTIFICATE: {
                "decision": str(decision),
                "because": ending.verdict.because,
                "run": header.run,
                "inventory": header.inventory,
                "product": header.product,
                "endedAt": ending.ended_at.isoformat(),
            },
        },
    }


def _catalog(name: str) -> bool:
    return name.startswith(CATALOG)


def _tests(records: Sequence[Evidence]) -> tuple[list[str], list[str], list[str]]:
    """Claims that passed; those that did not and don't block; those that block or could not be found out."""
    passed: list[str] = []
    warned: list[str] = []
    failed: list[str] = []
    for record in records:
        name, outcome = f"{record.claim}@{record.stage}", record.finding.outcome
        if outcome is Outcome.PASS:
            passed.append(name)
        elif outcome is not Outcome.NOT_APPLICABLE:
            (failed if record.severity is Severity.BLOCKING else warned).append(name)
    return passed, warned, failed
