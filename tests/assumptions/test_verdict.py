"""What the decision must never do: round UNKNOWN up, miss a record, or let an advisory claim block."""

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assumptions._core import Evidence, Finding, Outcome, Provenance, Severity, Stage
from assumptions._verdict import Decision, Verdict, blocks, decide

T = datetime(2026, 11, 22, 14, 3, 9, tzinfo=UTC)


def record(claim="a", stage=Stage.HOST, outcome=Outcome.PASS, severity=Severity.BLOCKING, reason="") -> Evidence:
    finding = Finding(outcome, f"{claim} is {outcome}", "x", "y", "z", "guide", Provenance.MEASURED_HERE)
    where = ("host-a", "vllm 0.32.0", "tiny", "0.1.0")
    return Evidence(claim, 1, stage, severity, "1", "It holds", "Mend it", finding, T, 0.1, (), *where, reason)


def keys(records) -> set[tuple[str, Stage]]:
    return {(e.claim, e.stage) for e in records}


def whole(records, **more) -> Verdict:
    return decide(keys(records), records, **{"whole": True, "scope": "all", **more})


some_records = st.lists(
    st.builds(
        record,
        claim=st.sampled_from("abcdef"),
        stage=st.sampled_from(Stage),
        outcome=st.sampled_from(Outcome),
        severity=st.sampled_from(Severity),
        reason=st.sampled_from(["", "   ", "accepted by the owner"]),
    ),
    max_size=8,
)
single_records = some_records.map(lambda found: list({(e.claim, e.stage): e for e in found}.values()))


def test_go_needs_only_that_each_claim_passed_once():
    verdict = whole([record("a"), record("b", Stage.LIVE)])
    assert verdict.decision is Decision.GO
    assert verdict.open
    assert verdict.counts == {"PASS": 2}


@given(some_records, st.booleans(), st.booleans())
def test_unknown_never_rounds_up(records, is_whole, tables_ok):
    verdict = whole(records, whole=is_whole, tables_ok=tables_ok)
    if any(blocks(e) and e.finding.outcome is Outcome.UNKNOWN for e in records):
        assert not verdict.open
        assert verdict.unresolved


@given(some_records, st.booleans())
def test_a_blocking_failure_is_no_go_and_nothing_else_is(records, is_whole):
    failed = any(blocks(e) and e.finding.outcome is Outcome.FAIL for e in records)
    assert (whole(records, whole=is_whole).decision is Decision.NO_GO) == failed


@given(single_records.filter(bool), st.booleans(), st.data())
def test_a_missing_record_is_never_open(records, is_whole, data):
    gone = data.draw(st.sampled_from(records))
    left = [e for e in records if e is not gone]
    verdict = decide(keys(records), left, whole=is_whole, scope="all")
    assert not verdict.open
    assert f"{gone.claim} ({gone.stage}): not judged" in verdict.unresolved


@given(single_records.filter(bool), st.booleans(), st.data())
def test_a_double_record_is_never_open_even_when_both_pass(records, is_whole, data):
    twice = data.draw(st.sampled_from(records))
    verdict = whole([*records, twice], whole=is_whole)
    assert not verdict.open
    assert f"{twice.claim} ({twice.stage}): judged 2 times" in verdict.unresolved


@given(some_records)
def test_a_part_of_the_claims_is_holds_at_best(records):
    assert whole(records, whole=False).decision is not Decision.GO
    assert whole(records).decision is not Decision.HOLDS


@given(some_records, st.booleans())
def test_tables_that_disagree_are_never_open(records, is_whole):
    assert not whole(records, whole=is_whole, tables_ok=False).open


@given(single_records, st.sampled_from(Outcome), st.booleans(), st.booleans())
def test_an_advisory_claim_and_an_excused_unknown_never_block(records, outcome, is_whole, by_severity):
    before = whole(records, whole=is_whole).decision
    how = {"severity": Severity.ADVISORY} if by_severity else {"reason": "accepted by the owner"}
    after = whole([*records, record("z", outcome=outcome, **how)], whole=is_whole).decision
    if by_severity or outcome is Outcome.UNKNOWN:
        assert after == before or not records


def test_an_excuse_never_covers_a_failure():
    verdict = whole([record("a"), record("b", outcome=Outcome.FAIL, reason="accepted by the owner")])
    assert verdict.decision is Decision.NO_GO


@given(single_records.filter(bool), st.booleans())
def test_not_applicable_does_not_block(records, is_whole):
    before = whole(records, whole=is_whole).decision
    assert whole([*records, record("z", outcome=Outcome.NOT_APPLICABLE)], whole=is_whole).decision == before


@given(single_records.filter(bool), st.data())
def test_turning_any_answer_to_unknown_never_opens_a_gate(records, data):
    n = data.draw(st.integers(0, len(records) - 1))
    worse = dataclasses.replace(records[n].finding, outcome=Outcome.UNKNOWN)
    changed = [*records[:n], dataclasses.replace(records[n], finding=worse), *records[n + 1 :]]
    if not whole(records).open and not any(e.finding.outcome is Outcome.FAIL for e in records):
        assert not whole(changed).open


@given(single_records, st.randoms())
def test_the_order_of_records_does_not_matter(records, random):
    shuffled = random.sample(records, len(records))
    assert whole(shuffled).decision == whole(records).decision


def test_a_record_nobody_expected_is_unknown():
    verdict = decide({("a", Stage.HOST)}, [record("a"), record("b")], whole=True, scope="all")
    assert verdict.decision is Decision.UNKNOWN
    assert verdict.unresolved == ("b (host): judged but not expected",)


@pytest.mark.parametrize("is_whole", [True, False])
def test_nothing_expected_is_unknown(is_whole):
    assert decide(set(), [], whole=is_whole, scope="none").decision is Decision.UNKNOWN


def test_a_whole_run_that_showed_nothing_is_unknown():
    verdict = whole([record("a", outcome=Outcome.NOT_APPLICABLE), record("b", severity=Severity.ADVISORY)])
    assert verdict.decision is Decision.UNKNOWN
    assert "no blocking claim passed" in verdict.because


def test_a_go_names_what_is_excused_and_counts_the_advice():
    excused = record("z", outcome=Outcome.UNKNOWN, reason="accepted by the owner")
    advice = [record(n, severity=Severity.ADVISORY, outcome=Outcome.UNKNOWN) for n in ("x", "y")]
    verdict = whole([record("a"), excused, *advice])
    assert verdict.decision is Decision.GO
    assert verdict.because.endswith("; UNKNOWN and excused: z; UNKNOWN and advice: 2 more")


def test_a_part_of_advisory_claims_holds_where_one_passed():
    good, bad = (record("a", severity=Severity.ADVISORY, outcome=o) for o in (Outcome.PASS, Outcome.FAIL))
    part = {"whole": False, "scope": "what validate judges", "needs_pass": True}
    assert decide(keys([good]), [good], **part).decision is Decision.HOLDS
    verdict = decide(keys([bad]), [bad], **part)
    assert verdict.decision is Decision.UNKNOWN and "no claim passed" in verdict.because


def test_a_stage_with_nothing_to_judge_holds():
    records = [record("a", outcome=Outcome.NOT_APPLICABLE)]
    assert decide(keys(records), records, whole=False, scope="stage host").decision is Decision.HOLDS


def test_an_excuse_of_spaces_is_no_reason():
    assert whole([record("a"), record("b", outcome=Outcome.FAIL, reason="  ")]).decision is Decision.NO_GO


def test_the_same_claim_at_two_stages_is_two_records():
    records = [record("a", Stage.STAGING), record("a", Stage.LIVE)]
    assert whole(records).decision is Decision.GO
    assert decide(keys(records), records[:1], whole=True, scope="all").decision is Decision.UNKNOWN


def test_no_go_names_the_failure_and_keeps_what_is_unresolved():
    verdict = whole([record("a", outcome=Outcome.UNKNOWN), record("b", outcome=Outcome.FAIL)])
    assert verdict.because == "b (host): b is FAIL"
    assert verdict.blocking == ("b (host): b is FAIL",)
    assert verdict.unresolved == ("a (host): a is UNKNOWN",)
    assert not verdict.open


def test_a_part_that_was_asked_for_must_show_something():
    excused = record("z", outcome=Outcome.UNKNOWN, reason="accepted by the owner")
    gate, asked = (decide(keys([excused]), [excused], whole=False, scope="z", needs_pass=n) for n in (False, True))
    assert gate.decision is Decision.HOLDS
    assert asked.decision is Decision.UNKNOWN


def test_a_claim_that_was_asked_for_alone_says_why_before_its_tables_do():
    unknown = record("z", outcome=Outcome.UNKNOWN, severity=Severity.ADVISORY)
    verdict = decide(keys([unknown]), [unknown], whole=False, scope="z", needs_pass=True, tables_ok=False)
    assert verdict.because == "no claim passed: nothing was shown to hold: z (host): z is UNKNOWN"
    assert "evidence tables" in verdict.unresolved[1]
