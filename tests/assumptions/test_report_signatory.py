"""Page one: what decides, how far it is from turning, the money on it, and the cheapest next look."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from assumptions._core import Evidence, Finding, Outcome, Provenance, Sense, Severity, Stage
from assumptions._report_distance import distance
from assumptions._report_money import HOURS_A_MONTH, IDLE, NO_PRICE, NOTHING, PURCHASE, at_risk, experiment
from assumptions._report_price import Price, price_of, usd
from assumptions._report_records import anchors, shown
from assumptions._report_signatory import FEWER, ROWS, Signatory, signatory
from assumptions._report_words import obstacles
from assumptions._verdict import Decision, decide
from assumptions._waivers import Waiver
from inventories.load import load

AT = datetime(2026, 11, 22, 14, tzinfo=UTC)
PRICE = Price(
    machine="server with 8x H200",
    hardware_usd=(277_000.0, 300_000.0, 397_000.0),
    hardware_source="assumed",
    rent_usd_per_hour=(24.0, 30.0, 50.0),
    life_years=(3.0, 5.0, 5.0),
)
RENTED = replace(PRICE, hardware_usd=None)
WAIVER = Waiver("memory-fit", "", "We know, and have ordered more.", "Ada <ada@example.org>", date(2026, 12, 31))


def finding(outcome: Outcome, value: float | None = None, limit: float | None = None, **more) -> Finding:
    told = Finding(outcome, "because", "expected", "measured", "threshold", "source", Provenance.MODELLED)
    return replace(told, value=value, limit=limit, unit="GiB", **more)


def record(claim: str, outcome: Outcome, stage: Stage = Stage.PLAN, **more) -> Evidence:
    told = finding(outcome, more.pop("value", None), more.pop("limit", None))
    base = Evidence(
        *(claim, 1, stage, Severity.BLOCKING, "guide", f"{claim} states", f"{claim} remedy", told, AT, 1.0, ()),
        *("host", "engine", "model", "product"),
    )
    return replace(base, **more)


def page_one(records, price=PRICE, waivers=(), rows=ROWS, whole=False, extra=()) -> Signatory:
    keys = {(e.claim, e.stage) for e in records} | set(extra)
    verdict = decide(keys, records, whole=whole, scope="some", waivers=waivers)
    seen = shown(records, "h200x8", price, lambda claim, version: "unproven")
    return signatory(verdict, obstacles(verdict, records), seen, "h200x8", price, waivers, rows)


@pytest.mark.parametrize(
    ("value", "limit", "sense", "outcome", "text"),
    [
        (139.87, 72.85, Sense.MOST, Outcome.FAIL, "over by 67.02 GiB (92%)"),
        (70.95, 100.92, Sense.MOST, Outcome.PASS, "to spare: 29.97 GiB (29.7%)"),
        (200.0, 256.0, Sense.LEAST, Outcome.FAIL, "short by 56 GiB (21.9%)"),
        (512.0, 256.0, Sense.LEAST, Outcome.PASS, "to spare: 256 GiB (100%)"),
        (466_033.0, 32_768.0, Sense.LEAST, Outcome.PASS, "to spare: 433,265 GiB (13 times the limit)"),
        (256.0, 256.0, Sense.LEAST, Outcome.PASS, "at the limit: 256 GiB"),
        (3.0, 0.0, Sense.MOST, Outcome.FAIL, "over by 3 GiB"),
        (100.0, 256.0, Sense.LEAST, Outcome.UNKNOWN, "short by 156 GiB (60.9%)"),
    ],
)
def test_a_distance_is_told_in_the_unit_and_by_the_limit(value, limit, sense, outcome, text):
    found = distance(finding(outcome, value, limit, sense=sense))
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(
    "told",
    [
        finding(Outcome.FAIL, None, 1.0),
        finding(Outcome.FAIL, 1.0, None),
        finding(Outcome.FAIL, float("nan"), 1.0),
        finding(Outcome.FAIL, 2.0, 1.0),  # something else than this figure failed
        finding(Outcome.PASS, 1.0, 2.0),
        finding(Outcome.NOT_APPLICABLE, 2.0, 1.0),
    ],
)
def test_without_two_numbers_that_agree_with_the_outcome_there_is_no_distance(told):
    assert distance(told) is None


@pytest.mark.parametrize(("interval", "crossed"), [((0.8, 1.2), True), ((1.05, 1.2), False), (None, False)])
def test_an_interval_that_holds_the_limit_is_told(interval, crossed):
    found = distance(finding(Outcome.PASS, 1.1, 1.0, interval=interval))
    assert found is not None
    assert found.crossed is crossed


@pytest.mark.parametrize(
    ("stage", "price", "rule", "text"),
    [
        (Stage.PLAN, PRICE, PURCHASE, "$277k to $397k"),
        (Stage.HOST, PRICE, PURCHASE, "$277k to $397k"),
        (Stage.LIVE, PRICE, IDLE, "$152 to $362 a day"),
        (Stage.WEIGHTS, RENTED, IDLE, "$576 to $1,200 a day of rent"),
        (Stage.PLAN, RENTED, PURCHASE, "$18k to $37k a month of rent"),
        (Stage.PLAN, replace(RENTED, rent_usd_per_hour=None), PURCHASE, NO_PRICE),
        (Stage.LIVE, replace(RENTED, rent_usd_per_hour=None), IDLE, NO_PRICE),
        (Stage.PLAN, None, NOTHING, ""),
    ],
)
def test_the_money_on_a_claim_follows_three_rules(stage, price, rule, text):
    found = at_risk(record("a", Outcome.FAIL, stage), price)
    assert (found.rule, found.text) == (rule, text)
    assert usd([each * HOURS_A_MONTH for each in (24.0, 50.0)]) == "$18k to $37k"


@pytest.mark.parametrize(
    "more",
    [{"severity": Severity.ADVISORY}, {"excused": "ticket 4411"}, {"finding": finding(Outcome.NOT_APPLICABLE)}],
)
def test_no_money_is_on_what_the_deployment_does_not_rest_on(more):
    assert at_risk(record("a", Outcome.UNKNOWN, **more), PRICE).rule == NOTHING


def test_a_look_on_paper_is_free_and_one_on_a_host_that_is_not_there_is_rented():
    costs = [experiment("a", stage, "h200x8", PRICE).cost for stage in Stage]
    assert costs == ["no money", *["$24 to $50 for each rented hour"] * 4]
    assert experiment("a", Stage.HOST, "x", replace(PRICE, at_hand=True)).cost == "no money"
    untold = replace(RENTED, rent_usd_per_hour=None)
    assert experiment("a", Stage.HOST, "x", untold).cost == "a rented hour; no rent found"
    assert "--only a" in experiment("a", Stage.HOST, "x", PRICE).command


def test_the_price_is_the_inventorys_or_the_catalogs_and_a_rehearsal_has_none():
    bought, rented = price_of(load("h200x8")), price_of(load("a100x4"))
    assert bought is not None and bought.hardware_usd is not None and bought.life_years == (3, 5, 5)
    assert rented is not None and rented.hardware_usd is None
    assert rented.rent_usd_per_hour == pytest.approx((4 * 1.39, 4 * 1.71, 4 * 3.0))
    assert price_of(load("rehearsal")) is None


def test_one_failure_decides_alone_and_two_do_not():
    one = page_one([record("a", Outcome.FAIL), record("b", Outcome.PASS)])
    assert one.flips == "One claim decides: a (plan). Nothing else failed."
    unknown = page_one([record("a", Outcome.FAIL), record("b", Outcome.UNKNOWN)])
    assert unknown.flips == "One claim decides: a (plan). Nothing else failed; then 1 thing must still be found out."
    two = page_one([record("a", Outcome.FAIL), record("b", Outcome.FAIL)])
    assert two.flips == "No single claim turns it: all 2 failures must be mended."


def test_one_unknown_decides_alone_and_several_do_not():
    assert page_one([record("a", Outcome.UNKNOWN)]).flips == "One thing decides: a (plan)."
    several = page_one([record("a", Outcome.UNKNOWN), record("b", Outcome.UNKNOWN)])
    assert several.flips == "No single claim turns it: 2 things must be found out."


def test_failures_come_first_and_the_unknown_by_what_a_look_costs():
    records = [
        record("served", Outcome.UNKNOWN, Stage.LIVE),
        record("paper", Outcome.UNKNOWN, Stage.PLAN),
        record("host", Outcome.UNKNOWN, Stage.HOST),
        record("broken", Outcome.FAIL, Stage.STAGING),
    ]
    found = page_one(records)
    assert [each.title.split()[0] for each in found.deciders] == ["broken", "paper", "host", "served"]
    assert [each.next.rank for each in found.deciders if each.next] == [3, 0, 1, 4]


def test_where_nothing_stands_in_the_way_the_nearest_to_its_limit_comes_first():
    records = [
        record("far", Outcome.PASS, value=512.0, limit=256.0),
        record("near", Outcome.PASS, value=257.0, limit=256.0),
        record("countless", Outcome.PASS),
        record("zero", Outcome.PASS, value=0.0, limit=0.0),
        record("advice", Outcome.PASS, value=256.0, limit=256.0, severity=Severity.ADVISORY),
    ]
    found = page_one(records)
    assert [each.title.split()[0] for each in found.deciders] == ["near", "far"]
    assert found.flips.startswith("Each of the 4 blocking claims that hold would turn it by failing. 2 of them")
    assert page_one([record("a", Outcome.PASS)]).flips.endswith("None has a figure.")


def test_an_excused_unknown_is_still_to_be_looked_at_and_costs_nothing():
    found = page_one([record("a", Outcome.PASS, value=2.0, limit=1.0), record("b", Outcome.UNKNOWN, excused="a CPU")])
    first, second = found.deciders
    assert (first.kind, first.because, first.risk and first.risk.text) == ("UNKNOWN", "does not block here: a CPU", "")
    assert second.kind == "PASS"


def test_a_waived_failure_decides_nothing_and_its_waiver_is_told_with_its_use():
    records = [record("memory-fit", Outcome.FAIL), record("b", Outcome.PASS)]
    other = replace(WAIVER, claim="b")
    found = page_one(records, waivers=(WAIVER, other))
    assert found.waivers == ((WAIVER, True), (other, False))
    assert not found.deciders
    verdict = decide({(e.claim, e.stage) for e in records}, records, whole=True, scope="all", waivers=(WAIVER,))
    assert verdict.decision is Decision.GO_WITH_WAIVERS


def test_only_so_many_rows_are_shown_and_the_rest_is_counted():
    records = [record(f"c{n}", Outcome.FAIL) for n in range(9)]
    assert (len(page_one(records).deciders), page_one(records).more) == (ROWS, 9 - ROWS)
    assert (len(page_one(records, rows=FEWER).deciders), page_one(records, rows=FEWER).more) == (FEWER, 9 - FEWER)


def test_what_was_not_judged_is_told_with_the_next_stages_price():
    found = page_one([record("a", Outcome.PASS)])
    assert found.left == (Stage.HOST, Stage.WEIGHTS, Stage.STAGING, Stage.LIVE)
    assert found.next_stage is not None and found.next_stage.cost.endswith("for each rented hour")
    assert page_one([record("a", Outcome.FAIL)]).next_stage is None


def test_what_has_no_record_of_its_own_has_neither_money_nor_a_look():
    found = page_one([record("a", Outcome.PASS)], extra={("b", Stage.LIVE)})
    (only,) = found.deciders
    assert (only.kind, only.risk, only.next) == ("UNKNOWN", None, None)


def test_it_is_good_until_the_first_blocking_answer_is_too_old():
    soon, late = AT.replace(month=12), AT.replace(year=2027)
    records = [
        record("a", Outcome.PASS, expires_at=late),
        record("b", Outcome.PASS, expires_at=soon),
        record("c", Outcome.PASS, severity=Severity.ADVISORY, expires_at=AT),
    ]
    assert page_one(records).good_until == soon


def test_anchors_are_the_ids_with_the_stage_where_there_are_several_and_never_twice():
    records = [
        record("a", Outcome.PASS),
        record("b", Outcome.PASS, Stage.PLAN),
        record("b", Outcome.PASS, Stage.LIVE),
        record("b", Outcome.PASS, Stage.LIVE),
        record('c"> d', Outcome.PASS),
    ]
    assert anchors(records) == ["claim-a", "claim-b-plan", "claim-b-live", "claim-b-live-2", "claim-c-d"]


@pytest.mark.parametrize(
    ("ends", "text"),
    [((1.5, 2, 3), "$1.50 to $3.00"), ((9_999, 1, 9_999), "$9,999"), ((10_000, 0, 250_400), "$10k to $250k")],
)
def test_money_reads_as_a_person_writes_it(ends, text):
    assert usd(ends) == text
