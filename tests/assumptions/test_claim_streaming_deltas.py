"""streaming-deltas: the same text in pieces, no long silence, then [DONE]."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.streaming_deltas import BRIEF_S, STALL_S, Deltas, arrivals, judge, least
from tests.assumptions.served_api import GONE, NOT_COMPLETIONS, REAL, REHEARSAL, outcomes, said, seen

SEEN: Deltas = seen("streaming-deltas")
LINES = len(SEEN.streamed.times)


def streamed(**fields: Any) -> Deltas:
    return replace(SEEN, streamed=replace(SEEN.streamed, **fields))


def evenly(step: float, stall: float = 0.0) -> tuple[float, ...]:
    return tuple(number * step + (stall if number > 5 else 0.0) for number in range(LINES))


def lump(seconds: float) -> Deltas:
    """Every line at the end of a stream of that length."""
    return streamed(times=tuple(seconds - 0.1 + number * 1e-5 for number in range(LINES)), seconds=seconds)


LUMP = lump(1.3)
FROZEN = streamed(done=False, finishes=(), broke="ReadTimeout: The read operation timed out")
RECORDED_CASES = {
    "streaming-deltas": {
        "pass": lambda: (SEEN, "rehearsal"),
        "fail": lambda: (LUMP, "rehearsal"),
        "unknown": lambda: (replace(SEEN, before=GONE), "rehearsal"),
    }
}


def test_the_real_engine_streams_as_it_makes_them() -> None:
    finding = judge(SEEN, REHEARSAL)
    assert finding.outcome is Outcome.PASS
    assert finding.value is not None and finding.value > LINES / 2
    assert set(outcomes(finding)) == {"ends", "spread", "stall", "text"}


@pytest.mark.parametrize(
    ("part", "deltas", "outcome"),
    [
        ("spread", LUMP, Outcome.FAIL),
        ("spread", lump(BRIEF_S), Outcome.FAIL),
        ("spread", lump(BRIEF_S - 0.01), Outcome.UNKNOWN),
        ("spread", streamed(times=(0.1, 0.2, 0.3), seconds=0.3), Outcome.UNKNOWN),
        ("ends", streamed(done=False), Outcome.FAIL),
        ("ends", streamed(finishes=("stop", "stop")), Outcome.FAIL),
        ("ends", FROZEN, Outcome.FAIL),
        ("ends", replace(FROZEN, waited=5.0), Outcome.UNKNOWN),
        ("ends", streamed(broke="RemoteProtocolError: peer closed connection"), Outcome.FAIL),
        ("stall", streamed(times=evenly(0.01, STALL_S - 0.1), seconds=STALL_S + 1), Outcome.PASS),
        ("stall", streamed(times=evenly(0.01, STALL_S + 0.1), seconds=STALL_S + 1), Outcome.FAIL),
        ("stall", streamed(seconds=SEEN.streamed.times[-1] + STALL_S + 1), Outcome.FAIL),
        ("stream", streamed(bad='{"error": {"message": "boom"}}'), Outcome.FAIL),
        ("stream", streamed(times=()), Outcome.FAIL),
        ("stream", streamed(status=500, said="500: boom"), Outcome.FAIL),
        ("stream", streamed(status=502, said="502: gone"), Outcome.UNKNOWN),
        ("text", streamed(content="another"), Outcome.FAIL),
        ("text", streamed(thinking=""), Outcome.FAIL),
        ("text", streamed(finishes=("length",)), Outcome.FAIL),
        ("text", replace(streamed(content="x"), after=said(SEEN.after, content="y")), Outcome.UNKNOWN),
        ("text", replace(SEEN, after=said(SEEN.after, content="y")), Outcome.PASS),
    ],
)
def test_each_part_decides(part: str, deltas: Deltas, outcome: Outcome) -> None:
    finding = judge(deltas, REAL)
    assert outcomes(finding)[part] is finding.outcome is outcome


@pytest.mark.parametrize(("reply", "outcome"), NOT_COMPLETIONS)
def test_what_is_no_completion(reply: Any, outcome: Outcome) -> None:
    assert judge(replace(SEEN, before=reply), REAL).outcome is outcome


def test_pieces() -> None:
    assert arrivals(()) == 0
    assert arrivals((0.5,)) == arrivals((0.5, 0.5001, 0.5009)) == 1
    assert arrivals((0.1, 0.2, 0.2001, 0.3)) == 3
    assert (least(4), least(40), least(104)) == (3, 4, 10)
