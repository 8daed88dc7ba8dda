"""requests-5-20-a-second: by wall time, ten at once; the rounds' unfavourable end against 5 a second."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions._speed import Measured
from assumptions.requests_5_20_a_second import judge, without_the_way
from inventories.load import load
from tests.assumptions.windows import loop, measured
from tests.recorded import recordings

H200 = load("h200x8")
HOSTS = tuple(host.name for host in H200.hosts)


def seen(*times: float, way_s: float = 0.002, rounds: int = 10) -> Measured:
    """Ten at once, each round's answers taking one of the times in turn."""
    every = [times[n % len(times)] for n in range(rounds) for _ in range(10)]
    return measured(loop(50, every, workers=10), HOSTS, way_s)


def hot(found: Measured) -> Measured:
    assert found.window is not None
    client = replace(found.window.client, cpu_s=found.window.client.wall_s)
    return replace(found, window=replace(found.window, client=client))


RECORDED_CASES = {
    "requests-5-20-a-second": {
        "pass": lambda: (seen(0.9, 1.1), "h200x8"),
        "fail": lambda: (seen(4.0, 4.4), "h200x8"),
        "unknown": lambda: (hot(seen(0.9, 1.1)), "h200x8"),
    },
}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (seen(1.0), Outcome.PASS),  # 10 a second
        (seen(0.2), Outcome.PASS),  # 50: more than the guide expects
        (seen(2.0), Outcome.PASS),
        (seen(2.1), Outcome.FAIL),  # 4.76
        (seen(2.1, way_s=0.2), Outcome.UNKNOWN),  # 5.26 at an engine next door
        (seen(1.5, 2.5), Outcome.UNKNOWN),
        (seen(5.0), Outcome.FAIL),
        (seen(1.0, rounds=5), Outcome.UNKNOWN),
        (hot(seen(5.0)), Outcome.UNKNOWN),
    ],
)
def test_the_unfavourable_end_decides(found: Measured, outcome: Outcome) -> None:
    assert judge(found, H200).outcome is outcome


def test_the_rate_is_by_wall_time_and_not_the_guides_formula() -> None:
    finding = judge(seen(1.0), H200)
    assert (finding.value, finding.samples) == (10.0, 100)  # the guide would print 1.00
    assert finding.interval == (10.0, 10.0)
    assert without_the_way(seen(1.0, way_s=0.5), 10.0) == pytest.approx(20.0)
    assert without_the_way(seen(1.0, way_s=1.5), 10.0) == float("inf")


def test_a_stand_in_is_unknown() -> None:
    found = measured(loop(50, [0.72] * 60, workers=10))
    finding = judge(found, recordings.rehearsal())
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.because.startswith("throughput: a rehearsal serves a stand-in")
    assert {part.name: part.outcome for part in finding.parts}["answers"] is Outcome.PASS


def test_a_loop_that_the_clock_cut_short_is_unknown() -> None:
    found = seen(1.0)
    short = replace(found, loop=replace(found.loop, samples=found.loop.samples[:70]))
    assert judge(short, H200).outcome is Outcome.UNKNOWN
