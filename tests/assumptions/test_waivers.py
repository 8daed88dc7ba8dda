"""A waiver covers a failure that somebody answers for, and never more; a GO that rests on one is not called GO."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given

from assumptions._core import Outcome, Severity, Stage
from assumptions._report_summary import WAIVED, summary_lines
from assumptions._report_words import obstacles
from assumptions._verdict import Decision, decide
from assumptions._waivers import Waiver, waivers
from inventories.errors import BadInput
from tests.assumptions.test_verdict import keys, record, single_records

TODAY = date(2026, 11, 22)
LATER = TODAY + timedelta(days=30)
GOOD = {
    "claim": "memory-fit",
    "reason": "measured elsewhere by us, see the log",
    "owner": "Ada <ada@example.org>",
    "expires": str(LATER),
}


def waiver(claim: str = "a", stage: str = "") -> Waiver:
    return Waiver(claim, stage, "known and accepted", "Ada", LATER)


def whole(records, accepted):
    return decide(keys(records), records, whole=True, scope="all", waivers=accepted)


def test_a_waived_failure_is_never_a_plain_go() -> None:
    records = [record("a", outcome=Outcome.FAIL), record("b")]
    assert whole(records, ()).decision is Decision.NO_GO
    verdict = whole(records, (waiver(),))
    assert verdict.decision is Decision.GO_WITH_WAIVERS and str(verdict.decision) != "GO"
    assert verdict.open and "accepted by waiver" in verdict.because and "a (host)" in verdict.because
    assert verdict.waived == ("a (host): a is FAIL [waived by Ada until 2026-12-22: known and accepted]",)


@given(single_records)
def test_waivers_never_turn_anything_but_a_failure(records) -> None:
    """With every claim waived: UNKNOWN stays, a plain GO stays one, and what was open stays open."""
    accepted = [waiver(name) for name in "abcdef"]
    before, after = whole(records, ()), whole(records, accepted)
    failed = any(e.severity is Severity.BLOCKING and e.finding.outcome is Outcome.FAIL for e in records)
    if after.decision is Decision.GO:
        assert not failed
    if before.decision is not Decision.NO_GO:
        assert after == before
    if before.unresolved:
        assert not after.open


def test_an_unknown_can_not_be_waived() -> None:
    records = [record("a", outcome=Outcome.UNKNOWN), record("b")]
    assert whole(records, (waiver(),)).decision is Decision.UNKNOWN


def test_a_run_that_shows_nothing_but_waived_failures_shows_nothing() -> None:
    verdict = whole([record("a", outcome=Outcome.FAIL)], (waiver(),))
    assert verdict.decision is Decision.UNKNOWN and "nothing was shown" in verdict.because


def test_a_waiver_of_one_stage_covers_that_stage_alone() -> None:
    records = [record("a", Stage.HOST, Outcome.FAIL), record("a", Stage.LIVE, Outcome.FAIL), record("b")]
    assert whole(records, (waiver("a", "host"),)).decision is Decision.NO_GO
    assert whole(records, (waiver("a"),)).decision is Decision.GO_WITH_WAIVERS


def test_a_gate_lets_a_waived_failure_pass_and_says_so() -> None:
    records = [record("a", outcome=Outcome.FAIL)]
    verdict = decide(keys(records), records, whole=False, scope="stage host", waivers=(waiver(),))
    assert verdict.decision is Decision.HOLDS and verdict.open
    assert verdict.because.startswith("beside 1 waived, nothing stands in the way") and verdict.waived


def test_waivers_stand_on_page_one() -> None:
    records = [record("a", outcome=Outcome.FAIL), record("b")]
    verdict = whole(records, (waiver(),))
    lines = summary_lines(verdict, records)
    assert lines[0].startswith("GO-WITH-WAIVERS")
    assert any(line.startswith(WAIVED) and "Ada" in line for line in lines[:5])
    assert [each.kind for each in obstacles(verdict, records)] == ["WAIVED"]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BEACHHEAD_WAIVERS", str(tmp_path))
    return tmp_path / "a100x4.yaml"


def write(file: Path, *entries: dict) -> None:
    file.write_text(json.dumps({"waivers": entries}))


def test_a_file_is_read(file: Path) -> None:
    assert waivers("a100x4", TODAY) == ()
    write(file, GOOD, {**GOOD, "claim": "openai-api", "stage": "live"})
    first, second = waivers("a100x4", TODAY)
    assert (first.claim, first.stage, first.owner, first.expires) == ("memory-fit", "", GOOD["owner"], LATER)
    assert second.stage == "live"
    assert waivers("a100x4", LATER), "the last day counts"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expires": "2026-11-21"}, "expired on 2026-11-21"),
        ({"claim": "no-such-claim"}, "no claim called"),
        ({"claim": "roi-54-percent"}, "advisory"),
        ({"stage": "weights"}, "names the stage weights"),
        ({"reason": "because"}, "reason"),
        ({"owner": ""}, "owner"),
        ({"expires": "soon"}, "expires"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_waiver_is_an_error(file: Path, change: dict, said: str) -> None:
    write(file, {**GOOD, **change})
    with pytest.raises(BadInput) as bad:
        waivers("a100x4", TODAY)
    assert said in bad.value.what and str(file) in bad.value.where


@pytest.mark.parametrize("missing", GOOD)
def test_a_waiver_says_all_four(file: Path, missing: str) -> None:
    write(file, {key: value for key, value in GOOD.items() if key != missing})
    with pytest.raises(BadInput):
        waivers("a100x4", TODAY)


def test_one_claim_is_not_waived_twice(file: Path) -> None:
    write(file, GOOD, {**GOOD, "stage": "staging"})
    with pytest.raises(BadInput, match="twice"):
        waivers("a100x4", TODAY)


def test_an_expired_waiver_stops_a_run_before_anything_is_looked_at(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.plain import plan

    monkeypatch.setenv("BEACHHEAD_EVIDENCE", str(tmp_path / "evidence"))
    write(file, {**GOOD, "expires": "2020-01-01"})
    with pytest.raises(BadInput, match="expired"):
        plan("a100x4")
    assert not (tmp_path / "evidence").exists()
    write(file, {**GOOD, "expires": str((datetime.now(UTC) + timedelta(days=9)).date())})
    run = plan("a100x4")
    assert run.verdict is not None and run.verdict.decision is not Decision.NO_GO and run.verdict.waived
    assert "waived by Ada" in (run.folder / "report.md").read_text().replace("\\", "")
