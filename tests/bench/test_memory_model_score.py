"""The bench's own scoring: it meets the targets on the shipped rows, and a spoiled model misses every one of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from assumptions.formulas.overhead import RESIDENT
from assumptions.formulas.shapes import Range
from bench import calibration, measured_rows, memory_model, peer_runs
from bench.scoring import Answer, missed, score

Spoil = Callable[[Answer], Answer]


@cache
def asked() -> tuple[tuple[measured_rows.Row, ...], Mapping[str, Answer]]:
    rows = measured_rows.read()
    return rows, memory_model.ours(rows, measured_rows.TABLE, measured_rows.CONFIGS)


@cache
def runs() -> tuple[calibration.Run, ...]:
    rows, answers = asked()
    return calibration.runs(measured_rows.scored(rows), answers, measured_rows.CONFIGS)


def misses(spoil: Spoil) -> list[str]:
    rows, answers = asked()
    return missed(score(rows, {name: spoil(answer) for name, answer in answers.items()}))


def test_every_target_is_met_on_the_shipped_rows() -> None:
    rows, answers = asked()
    found = score(rows, answers)
    assert missed(found) == []
    assert found.rows >= 40 and len(found.weights.values) >= 30 and len(found.tokens.values) >= 30
    assert found.failing >= 4


def moved(by: float) -> Spoil:
    def spoil(answer: Answer) -> Answer:
        kv = answer.kv_gib
        return replace(answer, kv_gib=kv and Range(kv.low + by, kv.mid + by, kv.high + by))

    return spoil


def widened(by: float) -> Spoil:
    def spoil(answer: Answer) -> Answer:
        kv = answer.kv_gib
        return replace(answer, kv_gib=kv and Range(kv.low - by, kv.mid, kv.high + by))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "target"),
    [
        (lambda answer: replace(answer, weights_gib=(answer.weights_gib or 0) * 1.02), "weights"),
        (moved(5.0), "inside the range"),
        (widened(1.0), "width"),
        (lambda answer: replace(answer, bytes_per_token=(answer.bytes_per_token or 0) * 1.01), "bytes per token"),
        (lambda answer: replace(answer, verdict="fits"), "failing"),
        (lambda answer: Answer(verdict="unsupported"), "unanswered"),
    ],
)
def test_a_spoiled_model_misses_its_target(spoil: Spoil, target: str) -> None:
    assert any(target in each for each in misses(spoil))


def test_saying_nothing_meets_no_target_but_the_failing_rows() -> None:
    assert len(misses(lambda answer: Answer(verdict="unsupported"))) == 5


def test_no_rows_meet_no_target() -> None:
    assert len(missed(score((), {}))) == 6


def test_the_resident_table_is_what_the_calibration_gives() -> None:
    found = calibration.calibrated(runs())
    assert set(found) == set(RESIDENT)
    for cell, shipped in RESIDENT.items():
        for edge in ("low", "mid", "high"):
            assert getattr(shipped, edge) == pytest.approx(getattr(found[cell], edge), abs=0.11), cell


@pytest.mark.parametrize("key", ["model", "group", "version"])
def test_left_out_rows_are_covered(key: str) -> None:
    """95 % at least, with ranges that are still of use; the published ends are not used for it."""
    pairs = calibration.left_out(runs(), calibration.KEYS[key])
    inside = sum(found.low <= run.overhead <= found.high for run, found in pairs)
    assert len(pairs) == len(runs()) and inside >= 0.95 * len(pairs)
    assert sum(found.width for _, found in pairs) / len(pairs) < 5.5


def test_leaving_out_changes_the_ranges() -> None:
    """Else the left-out figure would be the in-sample one under another name."""
    pairs = calibration.left_out(runs(), calibration.KEYS["model"])
    assert any(found != run.predicted(RESIDENT) for run, found in pairs)


def test_rows_on_amd_and_rows_without_a_config_are_not_asked(tmp_path: Path) -> None:
    rows, _ = asked()
    assert not any(row.text("gpu").startswith("MI") for row in rows)
    assert measured_rows.read(measured_rows.TABLE, tmp_path) == ()


def test_the_script_ends_with_one_when_a_target_is_missed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The logged weights of every row are raised by a tenth, which no arithmetic can follow."""
    with measured_rows.TABLE.open(newline="", encoding="utf-8") as lines:
        columns = list(csv.DictReader(lines))
    for each in columns:
        if each["model_load_gib_per_gpu"]:
            each["model_load_gib_per_gpu"] = str(float(each["model_load_gib_per_gpu"]) * 1.1)
    table = tmp_path / "rows.csv"
    with table.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, columns[0])
        writer.writeheader()
        writer.writerows(columns)
    out = tmp_path / "scores.json"
    options = ["--rows", str(table), "--configs", str(measured_rows.CONFIGS), "--no-peers", "--json", str(out)]
    assert memory_model.main(options) == 1
    assert "MISSED: weights" in capsys.readouterr().out
    assert json.loads(out.read_text())["Beachhead"]["rows"] == score(*asked()).rows


def test_a_table_that_is_not_there_is_one_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert memory_model.main(["--rows", str(tmp_path / "none.csv"), "--no-peers"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_peer_that_can_not_be_had_costs_only_its_own_column(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(peer: peer_runs.Peer) -> Path:
        raise peer_runs.PeerFailed("no room on this disk")

    monkeypatch.setattr(peer_runs, "_environment", refuse)
    rows, _ = asked()
    told, absent = memory_model.peers(rows, measured_rows.CONFIGS)
    assert told == {} and set(absent) == {peer.name for peer in peer_runs.PEERS}
    assert all("no room on this disk" in why for why in absent.values())


def test_every_peer_is_asked_with_the_rows_own_settings() -> None:
    rows, _ = asked()
    row = next(each for each in rows if each.id == "m154")
    question = peer_runs.question(row, measured_rows.CONFIGS)
    assert (question["tp"], question["utilization"], question["memory_gib"]) == (4, 0.92, 139.8)
    assert (question["weight_quant"], question["kv_dtype"], question["max_num_batched_tokens"]) == (
        "fp8-dynamic",
        "fp8",
        8192,
    )
