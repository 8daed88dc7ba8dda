"""What changed between two runs is told, and what did not is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from assumptions._core import Outcome
from assumptions._diff import Change, diff
from assumptions._ledger import Ledger
from inventories.errors import BadInput
from tests.assumptions.test_ledger import RECORD


def ledger(folder: Path, *records) -> Path:
    for each in records:
        Ledger(folder).append(each)
    return folder


def test_times_and_ids_are_no_change(tmp_path: Path) -> None:
    later = replace(RECORD, seconds=9.0, trail=("c-9",), expires_at=RECORD.started_at)
    assert diff(ledger(tmp_path / "a", RECORD), ledger(tmp_path / "b", later)) == []


def test_each_kind_of_change_is_told(tmp_path: Path) -> None:
    finding = replace(RECORD.finding, outcome=Outcome.PASS, value=1.5, interval=(1.0, 2.0))
    here = replace(RECORD, fingerprint={"driver": "580", "kernel": "6.1"})
    there = replace(RECORD, finding=finding, engine="vllm 0.33.0", fingerprint={"driver": "590", "kernel": "6.1"})
    new = replace(RECORD, claim="new-one")
    found = diff(ledger(tmp_path / "a", here), ledger(tmp_path / "b", there, new))
    name = f"{RECORD.claim} (plan)"
    assert found == [
        Change("claim", name, "outcome", "FAIL", "PASS"),
        Change("claim", name, "value", "2.5", "1.5"),
        Change("claim", name, "interval", "", "(1.0, 2.0)"),
        Change("claim", name, "engine", "vllm 0.32.0", "vllm 0.33.0"),
        Change("claim", "new-one (plan)", "outcome", None, "FAIL"),
        Change("environment", "environment", "driver", "580", "590"),
    ]


def test_two_real_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.plain import plan

    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path / "evidence"))
    one, other, smaller = plan("a100x4").folder, plan("a100x4").folder, plan("a100x4", 4096).folder
    assert diff(one, other) == []
    kinds = {(each.kind, each.field) for each in diff(one, smaller)}
    assert ("judged by", "inventory_sha256") in kinds and ("judged by", "terms of memory-fit") in kinds
    bigger = plan("h200x8").folder
    told = {(each.what, each.field): (each.before, each.after) for each in diff(one, bigger)}
    assert told["memory-fit (plan)", "outcome"] == ("FAIL", "PASS")
    assert "decision" in {field for what, field in told if what == "verdict"}


def test_a_part_of_a_run_reads_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.plain import plan

    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path / "evidence"))
    whole = plan("a100x4").folder
    (tmp_path / "part").mkdir()
    lines = (whole / "evidence.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "part" / "evidence.jsonl").write_bytes(b"".join(lines[:4]) + lines[4][:50])
    told = {(each.what, each.field): each.after for each in diff(whole, tmp_path / "part")}
    assert told["verdict", "decision"] == "not ended"
    assert sum(1 for (what, field), after in told.items() if field == "outcome" and after is None) > 10


def test_runs_without_any_claim_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        diff(tmp_path / "a", tmp_path / "b")
