"""latency-50-tokens: the median's unfavourable end against 2 s; a stand-in, a void window, few answers: UNKNOWN."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions._speed import Measured
from assumptions.latency_50_tokens import judge
from inventories.load import load
from serving.closed_loop import Loop
from tests.assumptions.windows import CALM, loop, measured, sample
from tests.recorded import recordings

H200 = load("h200x8")
HOSTS = tuple(host.name for host in H200.hosts)


def seen(*times: float, way_s: float = 0.002) -> Measured:
    """Thirty answers, the given times in turn."""
    every = [times[n % len(times)] for n in range(30)]
    return measured(loop(50, every), HOSTS, way_s)


def void(found: Measured) -> Measured:
    assert found.window is not None
    return replace(found, window=replace(found.window, compiled=("torch.compile took 3.1 s in total",)))


RECORDED_CASES = {
    "latency-50-tokens": {
        "pass": lambda: (seen(0.62, 0.71, 0.8), "h200x8"),
        "fail": lambda: (seen(4.6, 4.8, 5.1), "h200x8"),
        "unknown": lambda: (void(seen(0.62, 0.71, 0.8)), "h200x8"),
    },
}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (seen(0.6), Outcome.PASS),
        (seen(0.1), Outcome.PASS),  # quicker than the guide's range is no fault
        (seen(2.0), Outcome.PASS),
        (seen(2.02), Outcome.FAIL),
        (seen(2.02, way_s=0.05), Outcome.UNKNOWN),  # the way there makes the difference
        (seen(1.9, 2.1), Outcome.UNKNOWN),
        (seen(5.0), Outcome.FAIL),
    ],
)
def test_the_unfavourable_end_decides(found: Measured, outcome: Outcome) -> None:
    finding = judge(found, H200)
    assert finding.outcome is outcome, finding
    assert finding.samples == 30 and finding.interval is not None and finding.value is not None
    assert finding.interval[0] <= finding.value <= finding.interval[1]
    assert "§4.4" in finding.threshold_source


def test_a_void_window_is_unknown_whatever_it_measured() -> None:
    for times in ((0.6,), (5.0,)):
        finding = judge(void(seen(*times)), H200)
        assert finding.outcome is Outcome.UNKNOWN
        assert finding.because.startswith("undisturbed: the engine compiled")
        assert finding.value == times[0]  # the figure stays for a reader
    assert judge(replace(seen(0.6), window=None), H200).outcome is Outcome.UNKNOWN


def test_a_stand_in_is_unknown_and_its_protocol_is_judged() -> None:
    found = measured(loop(50, [0.24] * 6))
    finding = judge(found, recordings.rehearsal())
    assert finding.outcome is Outcome.UNKNOWN
    assert {part.name: part.outcome for part in finding.parts} == {
        "answers": Outcome.PASS,
        "latency": Outcome.UNKNOWN,
        "undisturbed": Outcome.PASS,
    }
    small = H200.model_copy(update={"model": recordings.rehearsal().model})
    assert judge(seen(0.6), small).outcome is Outcome.UNKNOWN


def test_five_answers_hold_no_median() -> None:
    found = measured(loop(50, [0.6] * 5), HOSTS)
    finding = judge(found, H200)
    assert (finding.outcome, finding.interval, finding.samples) == (Outcome.UNKNOWN, None, 5)


@pytest.mark.parametrize(
    ("odd", "outcome"),
    [
        ({"status": 400, "tokens": None, "said": "max_tokens is too large"}, Outcome.FAIL),
        ({"status": 500}, Outcome.FAIL),
        ({"status": None, "tokens": None, "said": "ConnectError"}, Outcome.UNKNOWN),
        ({"status": 429}, Outcome.UNKNOWN),
        ({"tokens": 20}, Outcome.UNKNOWN),
        ({"first_s": None}, Outcome.UNKNOWN),
    ],
)
def test_an_answer_that_did_not_come_in_full(odd: dict[str, object], outcome: Outcome) -> None:
    found = seen(0.6)
    samples = (replace(found.loop.samples[0], **odd), *found.loop.samples[1:])  # type: ignore[arg-type]
    assert judge(replace(found, loop=replace(found.loop, samples=samples)), H200).outcome is outcome


def test_no_answer_at_all_is_unknown() -> None:
    assert judge(Measured(0.002, Loop(1, 0.0, ()), seen(1.0).window), H200).outcome is Outcome.UNKNOWN
    assert sample(50, 0.0, 1.0).whole and CALM.cores == pytest.approx(0.33)
