"""recovery-within-objectives: the newest drill of each kind, held against the inventory, and what voids one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions._observation import read_back, recorded
from assumptions._recovery_records import FLOW, KIND, Found, Recorded, entry, found
from assumptions.recovery_within_objectives import ASSUMPTION, RESTS_ON, Drills, judge
from inventories.recovery import Recovery
from inventories.schema import Inventory
from tasks import chain
from tasks.recovery.result import Course, Drilled, Seen
from tasks.redaction import Redactor
from tests.recorded import recordings

AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
RELEASE = "a4c2be2949e8"
AROUND = {name: f"its {name}" for name in RESTS_ON}
KILLED = Course("killed 3 processes of the engine", True, 41.2, 41.2)
KILL = Drilled("kill", AT, "20261120T030000Z-0001", RELEASE, "", KILLED, Seen(50, 9, 42.0), RELEASE, "", True)
DRILLS = Drills(AT + timedelta(days=3), RELEASE, AROUND, Found((Recorded(KILL, AROUND),)))


def inventory(**within_s: float) -> Inventory:
    return recordings.rehearsal().model_copy(update={"recovery": Recovery(within_s=within_s)})  # type: ignore[arg-type]


def seen(*drills: Drilled, **other: Any) -> Drills:
    return replace(DRILLS, found=Found(tuple(Recorded(each, AROUND) for each in drills)), **other)


def course(**changes: Any) -> Drilled:
    return replace(KILL, course=replace(KILLED, **changes))


RECORDED_CASES = {
    "recovery-within-objectives": {
        "pass": lambda: (DRILLS, inventory(kill=60)),
        "fail": lambda: (DRILLS, inventory(kill=30)),
        "unknown": lambda: (seen(), inventory(kill=60)),
    },
}


@pytest.mark.parametrize(
    ("limit", "outcome"), [(60, Outcome.PASS), (41.2, Outcome.PASS), (41.1, Outcome.FAIL), (0, Outcome.FAIL)]
)
def test_the_time_is_held_against_the_objective(limit: float, outcome: Outcome) -> None:
    said = judge(DRILLS, inventory(kill=limit))
    assert said.outcome is outcome and "41.2 s" in said.because + said.measured


@pytest.mark.parametrize(
    ("drilled", "why"),
    [
        (course(back_s=None, waited_s=600, helped="nobody", left="the service is down: x"), "the service is down"),
        (course(back_s=None, waited_s=600, helped="the drill's own undo"), "no completion within 600 s"),
        (course(helped="the drill's own undo on the host"), "did not come back by itself"),
        (course(left="the undo ended with exit status 1"), "exit status 1"),
        (replace(KILL, release_after="000000000000"), "release 000000000000 is live afterwards"),
        (replace(KILL, release_after=""), "release none is live"),
        (replace(KILL, unusable="its completion is none: it is empty"), "it is empty"),
        (replace(KILL, lost=("the watchdog does not run any more",)), "watchdog does not run"),
    ],
)
def test_what_went_wrong_fails_whatever_the_time(drilled: Drilled, why: str) -> None:
    said = judge(seen(drilled), inventory(kill=10_000))
    assert said.outcome is Outcome.FAIL and why in said.because
    assert judge(seen(drilled), inventory()).outcome is Outcome.FAIL, "no objective excuses it"


@pytest.mark.parametrize(
    ("drilled", "why"),
    [
        (replace(KILL, why_not="no watchdog runs there", course=None, seen=None), "not played: no watchdog runs there"),
        (course(took=False), "not seen to take hold"),
        (course(took=None), "whether it took hold is not known"),
        (replace(KILL, same_words=False), "not those from before"),
        (replace(KILL, meanwhile="run x works on this host"), "run x works"),
        (replace(KILL, meanwhile="run x works on this host", lost=("slots.json says other",)), "run x works"),
        (replace(KILL, seen=None), "its time was not recorded"),
        (replace(KILL, release="000000000000"), "played on release 000000000000"),
        (replace(KILL, at=AT - timedelta(days=88)), "91 days old"),
    ],
)
def test_what_shows_nothing_is_unknown(drilled: Drilled, why: str) -> None:
    said = judge(seen(drilled), inventory(kill=60))
    assert said.outcome is Outcome.UNKNOWN and why in said.because, said


def test_a_drill_holds_ninety_days() -> None:
    assert judge(seen(replace(KILL, at=AT - timedelta(days=87))), inventory(kill=60)).outcome is Outcome.PASS


@pytest.mark.parametrize("part", RESTS_ON)
def test_a_changed_or_unread_environment_voids_it(part: str) -> None:
    for now in ({**AROUND, part: "another"}, {name: each for name, each in AROUND.items() if name != part}):
        said = judge(replace(DRILLS, fingerprint=now), inventory(kill=60))
        assert said.outcome is Outcome.UNKNOWN and part in said.because
    both = {name: each for name, each in AROUND.items() if name != part}
    blind = replace(DRILLS, fingerprint=both, found=Found((Recorded(KILL, both),)))
    assert judge(blind, inventory(kill=60)).outcome is Outcome.UNKNOWN


def test_never_drilled_names_the_command() -> None:
    for said in (judge(seen(), inventory()), judge(seen(), inventory(freeze=5)), judge(DRILLS, inventory(freeze=5))):
        assert said.outcome is Outcome.UNKNOWN
        assert "never drilled" in said.because and "beachhead recovery-drill" in said.because


def test_without_an_objective_the_time_is_told_and_not_judged() -> None:
    said = judge(DRILLS, inventory())
    assert said.outcome is Outcome.NOT_APPLICABLE and "41.2 s" in said.because
    said = judge(DRILLS, inventory(freeze=5, kill=60))
    assert said.outcome is Outcome.UNKNOWN, "one that passes does not answer for one that was never played"


def test_a_bad_release_is_judged_by_all_seconds_without_service() -> None:
    bad = Drilled("bad_release", AT, "r", RELEASE, "", Course("staged", True, 0.1, 0.1), Seen(40, 30, 12.5), RELEASE)
    assert judge(seen(bad), inventory(bad_release=12)).outcome is Outcome.FAIL
    assert judge(seen(bad), inventory(bad_release=12.5)).outcome is Outcome.PASS
    assert judge(seen(replace(bad, seen=Seen(40, 40, 0.0))), inventory(bad_release=0)).outcome is Outcome.PASS


def test_the_drill_that_came_nearest_to_its_objective_stands_for_the_claim() -> None:
    froze = replace(course(back_s=50.0), drill="freeze")
    said = judge(seen(froze, KILL), inventory(kill=42, freeze=100))
    assert (said.outcome, said.value, said.limit) == (Outcome.PASS, 41.2, 42)
    said = judge(seen(replace(froze, lost=("x",)), KILL), inventory(kill=42, freeze=100))
    assert (said.outcome, said.value, said.limit) == (Outcome.FAIL, None, None)


def test_a_damaged_record_is_no_pass() -> None:
    hurt = replace(DRILLS, found=replace(DRILLS.found, damaged=("run-1: line 3 of its raw record was changed",)))
    assert judge(hurt, inventory(kill=60)).outcome is Outcome.UNKNOWN


def test_the_observation_survives_the_record() -> None:
    assert read_back(ASSUMPTION, recorded(DRILLS, Redactor())) == DRILLS


# --- the records


def run(folder: Path, name: str, *drills: Drilled, flow: str = FLOW) -> Path:
    """A run's folder, as the flow leaves it."""
    (folder / name / "raw").mkdir(parents=True)
    (folder / name / "evidence.jsonl").write_bytes(chain.line({"record": "header", "flow": flow}))
    prev, lines = chain.START, b""
    for number, each in enumerate(drills):
        linked = chain.linked({"id": f"r{number}", "kind": KIND, **entry(Recorded(each, AROUND))}, prev)
        prev, lines = linked["sha256"], lines + chain.line(linked)
    (folder / name / "raw/trail.jsonl").write_bytes(lines)
    return folder / name


def test_the_newest_of_each_kind_counts(tmp_path: Path) -> None:
    later, other = replace(KILL, at=AT + timedelta(hours=1)), replace(KILL, drill="freeze")
    run(tmp_path, "1", replace(KILL, at=AT - timedelta(days=1)), other)
    run(tmp_path, "2", KILL, later)
    run(tmp_path, "3", replace(KILL, at=AT + timedelta(days=1)), flow="validate")
    now = tmp_path / "4"
    assert [each.drilled for each in found(now).drills] == [other, later]
    not_played = replace(KILL, at=AT + timedelta(days=2), why_not="no watchdog", course=None)
    run(tmp_path, "5", not_played)
    assert [each.drilled for each in found(now).drills] == [other, later], "it does not take the place of one"
    failed = replace(later, at=AT + timedelta(days=3), lost=("x",))
    run(tmp_path, "6", failed)
    assert found(now).drills[1].drilled == failed


def test_a_changed_record_is_damaged_and_a_torn_end_is_not(tmp_path: Path) -> None:
    hurt = run(tmp_path, "1", course(back_s=400.0)) / "raw/trail.jsonl"
    hurt.write_bytes(hurt.read_bytes().replace(b"400.0", b"4.0"))
    torn = run(tmp_path, "2", replace(KILL, drill="freeze")) / "raw/trail.jsonl"
    torn.write_bytes(torn.read_bytes() + json.dumps({"kind": KIND}).encode()[:9])
    told = found(tmp_path / "3")
    assert [each.drilled.drill for each in told.drills] == ["freeze"]
    assert len(told.damaged) == 1 and "1: line 1" in told.damaged[0]


def test_nothing_recorded_is_nothing_found(tmp_path: Path) -> None:
    assert found(tmp_path / "1") == Found(())
