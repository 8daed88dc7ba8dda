"""restart-recovery: only a restart that ended in an answer passes; the watchdog's own lines, as it writes them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.restart_recovery import Watched, judge, longest_s, recoveries
from inventories.schema import Inventory
from tasks.facts.watch import WatchFact
from tests.recorded import recordings

OURS = "a4c2be2949e8"
RESTART = {"event": "restart", "why": "2 failures in a row: no answer in 120 s", "restarts": 1}
ITSELF = {"event": "began again by itself", "restarts": 1}
RECOVERED = {"event": "recovered", "seconds": 187.4}
FAILED = {"event": "failed", "kind": "slow", "why": "no answer in 120 s", "in_a_row": 1}
FOLLOWS = {"event": "follows"}
STATE = {"phase": "serving", "since": 1.0, "failures": 0, "breaker": "", "note": "", "last_ok": 5.0, "restarts": []}


def inventory(budget: int | None = 300) -> Inventory:
    declared = recordings.rehearsal()
    serving = declared.serving.model_copy(update={"start_budget_s": budget})
    return declared.model_copy(update={"serving": serving})


def watched(*events: Mapping[str, Any], process: str = "running 7", breaker: str = "", release: str = OURS) -> Watched:
    lines = [
        json.dumps({"at": f"2026-11-22T15:{n:02}:00+00:00", "release": release, "port": 22101, **event})
        for n, event in enumerate(events)
    ]
    live = {"release": OURS, "port": 22101}
    state = {"mark": "m", "at": "2026-11-22T15:59:00+00:00", "uptime": 9.0, "live": live, "restarts_in_window": 0}
    text = json.dumps({**state, "state": {**STATE, "breaker": breaker}})
    said = "\n".join(["@@ process", process, "@@ state", text, "@@ events", *lines, ""])
    return Watched(OURS, WatchFact("/srv").parse(said))


def test_a_restart_with_an_answer_behind_it_passes_with_its_time() -> None:
    finding = judge(watched(FOLLOWS, FAILED, RESTART, RECOVERED), inventory())
    assert (finding.outcome, finding.value, finding.unit) == (Outcome.PASS, 187.4, "s without service")
    assert finding.because == "1 recoveries seen, the last after 187 s"


def test_a_restart_by_the_runtime_counts_too() -> None:
    assert judge(watched(ITSELF, RECOVERED), inventory()).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "events",
    [(), (FOLLOWS,), (FAILED, RECOVERED), (RECOVERED,), (RESTART, FOLLOWS, RECOVERED)],
    ids=["nothing", "followed", "a fault without a restart", "no fault", "another release came between"],
)
def test_without_a_restart_that_ended_in_an_answer_it_is_unknown(events: tuple[Mapping[str, Any], ...]) -> None:
    finding = judge(watched(*events), inventory())
    assert finding.outcome is Outcome.UNKNOWN
    assert "was seen: play it with `beachhead recovery-drill" in finding.because


def test_another_releases_recovery_is_not_this_ones() -> None:
    assert judge(watched(RESTART, RECOVERED, release="000000000000"), inventory()).outcome is Outcome.UNKNOWN


def test_a_restart_without_an_answer_yet_is_unknown_whatever_was_before() -> None:
    finding = judge(watched(RESTART, RECOVERED, RESTART), inventory())
    assert finding.outcome is Outcome.UNKNOWN
    assert "no answer was seen since" in finding.because


def test_a_recovery_that_took_longer_than_declared_fails() -> None:
    limit = longest_s(inventory())
    assert limit == 2 * (30 + 120) + 300
    late = {**RECOVERED, "seconds": limit + 0.1}
    assert judge(watched(RESTART, late), inventory()).outcome is Outcome.FAIL
    assert judge(watched(RESTART, {**RECOVERED, "seconds": limit}), inventory()).outcome is Outcome.PASS
    assert judge(watched(RESTART, late), inventory(None)).outcome is Outcome.PASS  # nothing was declared


def test_an_open_breaker_or_a_watchdog_that_is_gone_fails() -> None:
    opened = watched(RESTART, RECOVERED, breaker="3 restarts within 3600 s did not help")
    assert judge(opened, inventory()).outcome is Outcome.FAIL
    finding = judge(watched(RESTART, RECOVERED, process="ended"), inventory())
    assert finding.outcome is Outcome.FAIL
    assert "nothing watches" in finding.because


def test_before_a_watchdog_is_set_up_nothing_is_known() -> None:
    finding = judge(watched(process="never"), inventory())
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.because.startswith("watchdog: none is set up yet")


def test_several_recoveries_are_kept_apart() -> None:
    seen = watched(RESTART, RECOVERED, ITSELF, RESTART, {**RECOVERED, "seconds": 60.0})
    assert seen.watching is not None
    found = recoveries(seen.watching.events, OURS)
    assert [each.seconds for each in found] == [187.4, 60.0]
    assert judge(seen, inventory()).value == 60.0


def test_a_cluster_is_unknown_and_a_watch_that_is_off_does_not_apply() -> None:
    assert judge(Watched(OURS, None), inventory()).outcome is Outcome.UNKNOWN
    declared = inventory()
    off = declared.serving.watch.model_copy(update={"enabled": False})
    serving = declared.serving.model_copy(update={"watch": off})
    found = judge(watched(RESTART, RECOVERED), declared.model_copy(update={"serving": serving}))
    assert found.outcome is Outcome.NOT_APPLICABLE
