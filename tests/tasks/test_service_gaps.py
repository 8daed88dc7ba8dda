"""Gaps in service reach from answer to answer, and what was never served is no gap."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.service_gaps import Asked, Gap, service_of


def _asked(line: str) -> list[Asked]:
    """One question a second: '+' answered, '-' not."""
    return [Asked(float(second), mark == "+") for second, mark in enumerate(line)]


def test_no_failure_is_no_gap() -> None:
    found = service_of(_asked("++++"))
    assert (found.gaps, found.without_s) == ((), 0.0)
    assert str(found) == "0.0 s without service (4 of 4 completions answered in 3 s)"


def test_a_gap_reaches_from_the_last_answer_to_the_next() -> None:
    assert service_of(_asked("++--++")).gaps == (Gap(3.0, True),)


def test_before_the_first_answer_nothing_was_lost() -> None:
    found = service_of(_asked("---++-+"))
    assert found.gaps == (Gap(2.0, True),)
    assert str(found) == "first served after 3 s; 2.0 s without service since (3 of 4 completions answered in 3 s)"


def test_what_never_came_back_stays_open() -> None:
    found = service_of(_asked("++--"))
    assert found.gaps == (Gap(2.0, False),)
    assert "not served now" in str(found)


def test_nothing_served_at_all_is_said_and_is_not_zero_seconds() -> None:
    assert str(service_of(_asked("---"))).startswith("nothing was served")
    assert str(service_of([])).startswith("nothing was served")


@given(st.text("+-", max_size=40))
def test_each_unanswered_question_after_the_first_answer_lies_in_a_gap(line: str) -> None:
    found = service_of(_asked(line))
    begun = line.lstrip("-")
    runs = [run for run in begun.split("+") if run]
    assert len(found.gaps) == len(runs)
    assert found.without_s >= sum(map(len, runs))
