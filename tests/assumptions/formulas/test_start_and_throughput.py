"""Start and throughput: small figures that can be checked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assumptions.formulas.start import Probe, killed_after_s, needed_gigabytes_per_s, outlives, seconds_to_read
from assumptions.formulas.throughput import requests_per_s, wall_time_s


def test_ten_requests_of_two_seconds() -> None:
    assert wall_time_s([2.0] * 10, 10) == 2.0 and requests_per_s([2.0] * 10, 10) == 5.0
    assert wall_time_s([2.0] * 10, 1) == 20.0 and requests_per_s([2.0] * 10, 1) == 0.5
    assert wall_time_s([3.0, 1.0, 1.0, 1.0], 2) == 3.0


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=40), st.integers(1, 50))
def test_wall_time_lies_between_a_perfect_split_and_one_after_the_other(latencies: list[float], workers: int) -> None:
    wall = wall_time_s(latencies, workers)
    assert max(max(latencies), sum(latencies) / workers) <= wall * (1 + 1e-9)
    assert wall <= sum(latencies) * (1 + 1e-9)


def test_the_guides_liveness_probe() -> None:
    assert killed_after_s(Probe(initial_delay_s=300, period_s=30)) == (360, 390)
    assert killed_after_s(Probe()) == (20, 30)


@pytest.mark.parametrize(
    ("ready_s", "lives"), [(None, None), (360.0, True), (361.0, None), (390.0, None), (391.0, False), (0.0, True)]
)
def test_within_the_last_period_nobody_knows(ready_s: float | None, lives: bool | None) -> None:
    assert outlives(ready_s, (360.0, 390.0)) is lives


def test_reading_500_gb_at_1_gbps_takes_4000_s() -> None:
    assert seconds_to_read(500e9, 1 / 8) == 4000
    assert needed_gigabytes_per_s(594_205_904_896, 360) == pytest.approx(1.6506, abs=1e-4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: wall_time_s([1.0], 0),
        lambda: requests_per_s([0.0], 1),
        lambda: requests_per_s([], 1),
        lambda: seconds_to_read(1, 0),
        lambda: needed_gigabytes_per_s(1, 0),
    ],
)
def test_what_has_no_answer_is_a_value_error(call: object) -> None:
    with pytest.raises(ValueError):
        call()  # type: ignore[operator]
