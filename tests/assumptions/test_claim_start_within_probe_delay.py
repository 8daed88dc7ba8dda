"""start-within-probe-delay: measured seconds against 360; a small checkpoint never passes for the guide's."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions._serving_metrics import Metrics
from assumptions.start_within_probe_delay import Start, judge, killed_s
from tests.recorded import recordings

INVENTORY = recordings.rehearsal()
WHOLE = Start(ready_s=250.0, first_completion_s=300.0, checkpoint_bytes=594e9, guide_bytes=594e9)
# The lines that count of vLLM 0.32.0's /metrics, 42.7 s after its start, with the values as they were.
TEXT = """\
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1.79538319624e+09
vllm:e2e_request_latency_seconds_created{engine="0",model_name="tiny-k2"} 1.7953832359117463e+09
http_requests_total{handler="/v1/chat/completions",method="POST",status="2xx"} 4.0
http_requests_created{handler="/health",method="GET",status="2xx"} 1.795383230000000e+09
http_requests_created{handler="/v1/chat/completions",method="POST",status="4xx"} 1.795383231000000e+09
http_requests_created{handler="/v1/chat/completions",method="POST",status="2xx"} 1.795383238939998e+09
"""


def test_the_guides_probe_kills_after_360_s_at_the_earliest() -> None:
    assert killed_s() == 300 + 2 * 30


def test_the_engines_own_metrics_tell_start_ready_and_first_completion() -> None:
    told = Metrics(TEXT)
    assert told.process_began == pytest.approx(1795383196.24)
    assert told.engine_ready is not None and told.process_began is not None and told.first_completion is not None
    assert told.engine_ready - told.process_began == pytest.approx(39.67, abs=0.01)
    assert told.first_completion - told.process_began == pytest.approx(42.70, abs=0.01)


def test_metrics_that_say_nothing_give_nothing() -> None:
    for text in (
        "",
        "<html>",
        "process_start_time_seconds\n",
        "process_start_time_seconds x",
        TEXT.replace("2xx", "5xx"),
    ):
        assert Metrics(text).first_completion is None
    assert Metrics("process_start_time_seconds_total 1").process_began is None


@pytest.mark.parametrize(
    ("ready", "first", "outcome"),
    [
        (250.0, 300.0, Outcome.PASS),
        (250.0, 360.0, Outcome.PASS),
        (359.0, 361.0, Outcome.UNKNOWN),  # up in time, asked too late
        (361.0, 362.0, Outcome.FAIL),
        (361.0, None, Outcome.FAIL),
        (250.0, None, Outcome.UNKNOWN),
        (None, 362.0, Outcome.UNKNOWN),
        (None, None, Outcome.UNKNOWN),
    ],
)
def test_seconds_on_each_side_of_the_probe(ready: float | None, first: float | None, outcome: Outcome) -> None:
    assert judge(replace(WHOLE, ready_s=ready, first_completion_s=first), INVENTORY).outcome is outcome


def test_a_start_longer_than_ten_minutes_fails_both_of_the_guides_figures() -> None:
    finding = judge(replace(WHOLE, ready_s=944.0, first_completion_s=2357.0), INVENTORY)
    assert [part.outcome for part in finding.parts] == [Outcome.FAIL, Outcome.FAIL, Outcome.PASS]


def test_a_small_checkpoint_is_unknown_however_fast() -> None:
    finding = judge(replace(WHOLE, ready_s=20.0, first_completion_s=21.0, checkpoint_bytes=5e6), INVENTORY)
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.because.startswith("guide's weights: only 0.005 GB were loaded here")
    assert (finding.value, finding.notes) == (21.0, ("This start: 21 s to the first completion.",))


def test_a_small_checkpoint_that_is_too_slow_fails_all_the_same() -> None:
    assert judge(Start(700.0, 800.0, 5e6, 594e9), INVENTORY).outcome is Outcome.FAIL
