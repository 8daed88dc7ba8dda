"""For every claim a recorded observation that passes, one that fails and one that is UNKNOWN, judged again here."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from assumptions._core import Outcome
from assumptions._documents import named
from assumptions._registry import Claim, claim, claims
from tests.recorded.claims import __main__ as tool
from tests.recorded.claims import case as cases
from tests.recorded.claims.case import NEEDED, NEVER, Case, Refused, all_cases, read
from tests.recorded.claims.harvest import chosen
from tests.recorded.documents.index import index

CASES = tuple(all_cases())


@pytest.mark.parametrize("known", claims(), ids=lambda c: c.id)
def test_every_claim_has_its_three_cases(known: Claim) -> None:
    there = {case.outcome for case in CASES if case.claim == known.id}
    never = {outcome for claim_id, outcome in NEVER if claim_id == known.id}
    assert there | never == set(NEEDED), "python -m tests.recorded.claims renew, or harvest"
    assert not there & never, "it can be after all"


def test_no_case_is_of_a_claim_that_is_gone() -> None:
    known = {each.id for each in claims()}
    assert {case.claim for case in CASES} <= known
    assert {claim_id for claim_id, _ in NEVER} <= known


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.claim}-{c.outcome.lower()}")
def test_judged_again_it_is_what_it_stands_for(case: Case) -> None:
    finding = case.finding()
    assert finding.outcome is case.outcome, finding.because
    assert finding.because
    if not case.raised:
        assert finding.threshold_source and not finding.because.startswith("could not look"), finding
    assert not case.raised or case.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.claim}-{c.outcome.lower()}")
def test_its_file_says_what_it_is_of_this_version_and_from_where(case: Case) -> None:
    assert case.version == claim(case.claim).version, "python -m tests.recorded.claims renew"
    assert re.match(r"(recorded|built): \S", case.source)
    told = json.dumps([case.observation, case.source])
    assert "PRIVATE KEY" not in told and not re.search(r"/tmp/live|/work/|\bhf_[A-Za-z0-9]{20}", told)
    kept = next(cases.FOLDER.glob(f"{case.claim}/{case.outcome.lower()}.json"))
    assert case.path == kept


@pytest.mark.parametrize("known", claims(), ids=lambda c: c.id)
def test_the_contract(known: Claim) -> None:
    """Its id is its file's, it is to be found in a document, and it says what to do."""
    folder = Path(cases.__file__).parents[3] / "assumptions"
    assert (folder / f"{known.id.replace('-', '_')}.py").is_file()
    assert len(known.remedy.strip()) > 20 and known.version >= 1
    for document, section in named(known.guide):
        lines = {line.section for line in index(document.file)}
        assert (section if document.file == "guide" else section.casefold()) in lines


# --- the tool


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Cases are written elsewhere; those that are here are copied."""
    for case in CASES:
        if case.claim in ("health-body", "openai-api"):
            copy = tmp_path / case.claim / case.path.name
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(case.path.read_bytes())
    for module in (cases, tool):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    return tmp_path


def test_a_case_that_its_judge_does_not_bear_out_is_not_written(folder: Path) -> None:
    case = read(folder / "health-body/pass.json")
    with pytest.raises(Refused, match="it is PASS, not FAIL"):
        replace(case, outcome=Outcome.FAIL).write()


def test_renewing_stamps_a_runs_case_and_builds_the_tests(folder: Path) -> None:
    old = read(folder / "health-body/fail.json")
    assert old.source.startswith(tool.RECORDED)
    replace(old, version=0).write()
    (folder / "openai-api/unknown.json").unlink()
    assert tool.main(["renew", "health-body", "openai-api"]) == 0
    assert read(folder / "health-body/fail.json") == old
    assert read(folder / "openai-api/unknown.json").raised.startswith("Unreachable")


def test_an_observation_is_taken_from_a_ledger(folder: Path) -> None:
    case = read(folder / "health-body/fail.json")
    line = {"claim": "health-body", "stage": "live", "observation": case.observation, "engine": "vllm 0.32.0"}
    line |= {"started_at": "2026-11-23T01:00:00+00:00", "finding": {"outcome": "FAIL"}}
    ledger = folder / "evidence.jsonl"
    ledger.write_text(json.dumps(line) + "\n" + json.dumps({"record": "end"}) + "\n")
    inventory = cases.named("rehearsal")
    (folder / "inventory.json").write_text(inventory.model_dump_json())
    (folder / "health-body/fail.json").unlink(missing_ok=True)
    assert tool.main(["take", str(ledger), "health-body", "--stage", "staging"]) == 0
    assert not (folder / "health-body/fail.json").exists()
    assert tool.main(["take", str(ledger), "health-body"]) == 0
    assert read(folder / "health-body/fail.json").source == "recorded: rehearsal, live, vllm 0.32.0, 2026-11-23"


def test_of_what_the_tests_give_the_claims_own_and_fullest_is_chosen() -> None:
    good = next(case for case in CASES if (case.claim, case.outcome) == ("health-body", Outcome.PASS))
    told = {"claim": good.claim, "version": 1, "outcome": "PASS", "inventory": "rehearsal", "raised": ""}
    told["observation"] = good.observation
    lines = [
        {"own": False, "parts": 9, "odd": 0, "case": {**told, "source": "built: another"}},
        {"own": True, "parts": 3, "odd": 0, "case": {**told, "source": "built: unreadable", "observation": []}},
        {"own": True, "parts": 2, "odd": 0, "case": {**told, "source": "built: own"}},
        {"own": True, "parts": 2, "odd": 1, "case": {**told, "source": "built: with a fault"}},
    ]
    assert [case.source for case in chosen(lines, "health-body")] == ["built: own"]
