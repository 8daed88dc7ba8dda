"""continuous-batching: rounds together against rounds alone, and newcomers beside a long answer."""

from dataclasses import replace

import pytest

from assumptions._core import Outcome
from assumptions._speed import spent
from assumptions.continuous_batching import Batches, judge, newcomers
from inventories.load import load
from serving.closed_loop import Loop, Sample
from tests.assumptions.windows import loop, on_gpus, sample, undisturbed
from tests.recorded import recordings

H200 = load("h200x8")
HOSTS = tuple(host.name for host in H200.hosts)
SERVED = (sample(1024, 0.0, 10.0), sample(64, 0.0, 1.0), sample(64, 1.0, 1.0), sample(64, 2.0, 1.0))
WAITED = (sample(1024, 0.0, 10.0), sample(64, 0.0, 0.05, 0.01), sample(64, 1.0, 10.0), sample(64, 11.0, 1.0))


def seen(*together_s: float, beside: tuple[Sample, ...] = SERVED) -> Batches:
    """Alone a round takes 4 s; together the given times in turn."""
    alone = tuple(loop(64, [1.0] * 4) for _ in range(6))
    together = tuple(loop(64, [together_s[n % len(together_s)]] * 4, workers=4) for n in range(6))
    last = Loop(2, 10.0, beside)
    every = [each for run in (*alone, *together, last) for each in run.samples]
    return Batches(alone, together, last, on_gpus(undisturbed(len(every), spent(every) or 0), HOSTS))


def shared(found: Batches) -> Batches:
    assert found.window is not None and found.window.before is not None
    before = replace(found.window.before, in_flight=2.0)
    return replace(found, window=replace(found.window, before=before))


RECORDED_CASES = {
    "continuous-batching": {
        "pass": lambda: (seen(1.2, 1.3), "h200x8"),
        "fail": lambda: (seen(4.1, 4.2), "h200x8"),
        "unknown": lambda: (shared(seen(1.2, 1.3)), "h200x8"),
    },
}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (seen(1.2), Outcome.PASS),
        (seen(3.9), Outcome.PASS),
        (seen(4.0), Outcome.FAIL),  # no faster
        (seen(5.0), Outcome.FAIL),
        (seen(3.9, 4.1), Outcome.UNKNOWN),
        (seen(1.2, beside=WAITED), Outcome.FAIL),
        (seen(1.2, beside=SERVED[:2]), Outcome.UNKNOWN),  # nobody came meanwhile
        (shared(seen(5.0)), Outcome.UNKNOWN),
    ],
)
def test_faster_together_and_nobody_waits(found: Batches, outcome: Outcome) -> None:
    assert judge(found, H200).outcome is outcome


def test_the_ratio_is_judged_of_a_stand_in_too() -> None:
    found = replace(seen(1.2), window=undisturbed(52, spent(_every(seen(1.2))) or 0))
    finding = judge(found, recordings.rehearsal())
    assert (finding.outcome, finding.value, finding.samples) == (Outcome.PASS, 3.3333, 6)
    assert finding.interval == (3.3333, 3.3333)


def _every(found: Batches) -> list[Sample]:
    return [each for run in (*found.alone, *found.together, found.beside) for each in run.samples]


def test_newcomers_count_only_where_they_could_have_been_served() -> None:
    assert newcomers(SERVED) == (2, 2)
    assert newcomers(WAITED) == (0, 1)
    late = (sample(1024, 0.0, 10.0), sample(64, 9.5, 1.0))
    assert newcomers(late) is None  # one that came at the end proves nothing
    assert newcomers(()) is None
    assert newcomers((replace(SERVED[0], tokens=12), *SERVED[1:])) is None


def test_a_round_with_an_answer_cut_short_has_no_ratio() -> None:
    found = seen(1.2)
    cut = replace(found.alone[0], samples=(replace(found.alone[0].samples[0], tokens=3), *found.alone[0].samples[1:]))
    finding = judge(replace(found, alone=(cut, *found.alone[1:])), H200)
    assert (finding.outcome, finding.samples, finding.interval) == (Outcome.UNKNOWN, 5, None)
