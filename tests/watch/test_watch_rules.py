"""What the watchdog decides, as numbers in and words out; and that no pattern of failures makes it loop."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.remote import watch_rules as rules
from tasks.remote.watch_rules import Decision, Limits, Seen, State, decide, reset

LIMITS = Limits(failures=2, restarts=3, within_s=3600, start_budget_s=600)
SERVING = State(phase=rules.SERVING, since=0, last_ok=0)
KINDS = (rules.ANSWERED, rules.BUSY, rules.UNCLEAR, rules.REFUSED, rules.SLOW, rules.GARBAGE, rules.GONE)


def play(kinds: list[str], state: State = SERVING, every: float = 30, limits: Limits = LIMITS) -> list[Decision]:
    """One look after another."""
    done: list[Decision] = []
    for round_, kind in enumerate(kinds, start=1):
        done.append(decide(limits, state, Seen(kind, "why"), round_ * every))
        state = done[-1].state
    return done


def told(decisions: list[Decision]) -> list[str]:
    return [event["event"] for decision in decisions for event in decision.events]


@pytest.mark.parametrize("kind", [rules.SLOW, rules.GARBAGE, rules.REFUSED])
def test_so_many_failures_in_a_row_and_not_one_less(kind: str) -> None:
    assert [d.action for d in play([kind, kind])] == ["", rules.RESTART]
    assert [d.action for d in play([kind, rules.ANSWERED, kind])] == ["", "", ""]


def test_a_process_that_is_gone_is_started_at_once() -> None:
    assert [d.action for d in play([rules.GONE])] == [rules.RESTART]


def test_inside_its_start_budget_an_engine_may_refuse_and_be_slow_but_not_answer_rubbish() -> None:
    loading = State(since=0)
    assert not any(d.action for d in play([rules.REFUSED, rules.SLOW] * 9, loading))
    assert play([rules.REFUSED], loading, every=601)[0].action == rules.RESTART
    assert play([rules.GARBAGE, rules.GARBAGE], loading)[-1].action == rules.RESTART


def test_busy_and_unclear_are_not_failures_and_are_told_once() -> None:
    for kind in (rules.BUSY, rules.UNCLEAR):
        done = play([kind] * 20)
        assert not any(d.action for d in done) and told(done) == [kind]
    assert not any(d.action for d in play([rules.SLOW, rules.BUSY, rules.SLOW])), "work for others ends the row"


def test_recovery_is_counted_from_the_first_failure() -> None:
    done = play([rules.SLOW, rules.SLOW, rules.REFUSED, rules.ANSWERED])
    assert told(done) == ["failed", "failed", "restart", "recovered"]
    assert done[-1].events[0]["seconds"] == 90
    assert done[-1].state.restarts == (60,), "a later success keeps the window"


def test_the_breaker_opens_and_only_a_reset_or_an_answer_closes_it() -> None:
    done = play([rules.GONE] * 6)
    assert [d.action for d in done] == [rules.RESTART] * 3 + [rules.STOP, "", ""]
    assert told(done) == ["restart"] * 3 + ["opened"]
    open_ = done[-1].state
    assert open_.breaker and decide(LIMITS, open_, Seen(rules.GONE), 1e6).action == ""
    closed = decide(LIMITS, open_, Seen(rules.ANSWERED), 1e6)
    assert not closed.state.breaker and [e["event"] for e in closed.events] == ["recovered", "closed"]
    assert decide(LIMITS, reset(open_, 1e6), Seen(rules.GONE), 1e6).action == rules.RESTART


def test_starts_that_did_not_help_come_further_and_further_apart() -> None:
    limits = Limits(failures=2, restarts=3, within_s=3600, start_budget_s=600, pause_s=30)
    done = play([rules.GONE] * 150, every=2, limits=limits)
    at = [2 * (i + 1) for i, decision in enumerate(done) if decision.action]
    assert at == [2, 32, 92, 212] and done[105].action == rules.STOP


def test_old_restarts_leave_the_window() -> None:
    state = State(phase=rules.SERVING, restarts=(0, 10, 20))
    assert decide(LIMITS, state, Seen(rules.GONE), 3599).action == rules.STOP
    assert decide(LIMITS, state, Seen(rules.GONE), 3601).action == rules.RESTART


def test_nothing_is_done_while_somebody_else_works_here_and_what_then_loads_gets_its_budget() -> None:
    state = SERVING
    for now in range(30, 600, 30):
        decision = decide(LIMITS, state, Seen(rules.GONE, "gone", hold="run r works on this host"), now)
        assert decision.action == ""
        state = decision.state
    assert decide(LIMITS, state, Seen(rules.REFUSED), 600 + 500).action == ""
    slow = decide(LIMITS, SERVING, Seen(rules.SLOW, "", hold="run r"), 30).state
    assert slow.phase == rules.SERVING, "a frozen engine is not given a start budget by a lease"


def test_a_runtime_that_begins_it_anew_is_left_to_load_and_counted() -> None:
    limits = Limits(failures=2, restarts=2, within_s=3600, start_budget_s=600, begins_itself=True)
    done = play([rules.REFUSED, rules.ANSWERED] * 2 + [rules.REFUSED] * 3, limits=limits)
    assert [d.action for d in done] == ["", "", "", "", rules.STOP, "", ""]
    assert told(done)[:4] == ["began again by itself", "recovered", "began again by itself", "recovered"]
    assert "opened" in told(done)


@given(
    looks=st.lists(st.tuples(st.sampled_from(KINDS), st.booleans(), st.floats(0.1, 900)), max_size=200),
    failures=st.integers(1, 4),
    restarts=st.integers(1, 5),
    within=st.floats(60, 7200),
    begins=st.booleans(),
    pause=st.sampled_from([0.0, 1.0, 100.0]),
)
def test_no_pattern_makes_more_starts_than_allowed_in_any_window(
    looks: list[tuple[str, bool, float]], failures: int, restarts: int, within: float, begins: bool, pause: float
) -> None:
    limits = Limits(failures, restarts, within, 300, pause, begins)
    state, now, starts = State(), 0.0, []
    for kind, held, later in looks:
        now += later
        was_open = bool(state.breaker)
        decision = decide(limits, state, Seen(kind, "", "held" if held else ""), now)
        state = decision.state
        if decision.action == rules.RESTART:
            assert not was_open and not held and kind not in (rules.ANSWERED, rules.BUSY, rules.UNCLEAR)
            starts.append(now)
        if decision.action == rules.STOP:
            assert state.breaker
        assert not (held and decision.action)
        assert len([at for at in starts if now - within < at]) <= restarts


def test_the_files_that_run_on_hosts_are_read_by_python_3_9() -> None:
    for file in Path(rules.__file__).parent.glob("watch*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            assert not {"StrEnum", "UTC", "Self"} & set(names), file
            slots = isinstance(node, ast.keyword) and node.arg in ("slots", "strict", "kw_only")
            assert not slots, f"{file}: newer than 3.9"
