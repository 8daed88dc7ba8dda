"""prefix-caching-helps: cached tokens and seconds of each pair; off on this platform is not judged."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assumptions._core import Outcome, Stage
from assumptions.prefix_caching_helps import PAIRS, Pair, Repeats, judge, observe
from serving.client import Reply
from tests.assumptions.windows import undisturbed
from tests.recorded import recordings
from tests.recorded.replay import replaying
from tests.recorded.scene import Scene, set_key

INVENTORY = recordings.rehearsal()
LENGTH = 16_384


def reply(seconds: float, cached: int | None, status: int = 200) -> Reply:
    details = None if cached is None else {"cached_tokens": cached}
    body: dict[str, Any] = {"usage": {"prompt_tokens": LENGTH, "prompt_tokens_details": details}}
    return Reply(status, body, json.dumps(body), seconds, "r1")


def pair(first: float = 2.0, again: float = 0.2, before: int | None = 0, after: int | None = 16_256) -> Pair:
    return Pair(reply(first, before), reply(again, after))


def seen(*pairs: Pair) -> Repeats:
    """The given pairs in turn, nothing else meanwhile."""
    every = tuple(pairs[n % len(pairs)] for n in range(PAIRS)) if pairs else ()
    return Repeats(LENGTH, every, window=undisturbed())


def disturbed(found: Repeats) -> Repeats:
    assert found.window is not None
    return replace(found, window=replace(found.window, compiled=("Triton kernel JIT compilation during inference: x",)))


RECORDED_CASES = {
    "prefix-caching-helps": {
        "pass": lambda: (seen(pair(), pair(again=0.4)), INVENTORY),
        "fail": lambda: (seen(pair(again=1.8)), INVENTORY),
        "unknown": lambda: (disturbed(seen(pair())), INVENTORY),
    },
}


def test_cached_and_sooner_passes() -> None:
    finding = judge(seen(pair(), pair(again=0.4)), INVENTORY)
    assert (finding.outcome, finding.value, finding.samples) == (Outcome.PASS, 0.1, PAIRS)
    assert finding.interval == (0.1, 0.2)
    assert len(finding.parts) == PAIRS + 2


@pytest.mark.parametrize(
    ("pairs", "outcome"),
    [
        ((pair(again=1.0),), Outcome.PASS),
        ((pair(again=1.01),), Outcome.FAIL),
        ((pair(), pair(again=1.01)), Outcome.UNKNOWN),  # some sooner, some not: not found out
        ((pair(), pair(after=14_745)), Outcome.PASS),
        ((pair(), pair(after=14_744)), Outcome.FAIL),
        ((pair(), pair(after=0)), Outcome.FAIL),
        ((pair(), pair(before=16_000)), Outcome.UNKNOWN),
        ((pair(), pair(after=None)), Outcome.UNKNOWN),
        ((pair(), pair(first=0.0)), Outcome.UNKNOWN),
        ((pair(), Pair(reply(2.0, 0), reply(0.2, 16_256, 503))), Outcome.UNKNOWN),
        ((pair(), Pair(reply(2.0, 0), Reply(200, None, "<html>", 0.2, "r1"))), Outcome.UNKNOWN),
    ],
)
def test_every_pair_weighs(pairs: tuple[Pair, ...], outcome: Outcome) -> None:
    assert judge(seen(*pairs), INVENTORY).outcome is outcome
    assert judge(seen(*reversed(pairs)), INVENTORY).outcome is outcome


def test_one_pair_that_was_held_up_spoils_nothing_and_two_do() -> None:
    found = [judge(seen(*([pair(again=1.8)] * held), *([pair()] * (PAIRS - held))), INVENTORY) for held in (1, 2)]
    assert [each.outcome for each in found] == [Outcome.PASS, Outcome.UNKNOWN]
    assert found[0].interval == (0.1, 0.1)


def test_no_pair_is_unknown_and_five_hold_no_median() -> None:
    assert judge(seen(), INVENTORY).outcome is Outcome.UNKNOWN
    five = replace(seen(pair()), pairs=(pair(),) * 5)
    assert judge(five, INVENTORY).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("again", [0.2, 1.8])
def test_a_disturbed_window_is_unknown_whichever_way_it_went(again: float) -> None:
    for found in (disturbed(seen(pair(again=again))), replace(seen(pair(again=again)), window=None)):
        finding = judge(found, INVENTORY)
        assert finding.outcome is Outcome.UNKNOWN and finding.because.startswith("undisturbed: ")


def test_an_engine_that_switched_it_off_is_asked_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_key(monkeypatch)
    with replaying() as server:
        scene = Scene(tmp_path, Stage.STAGING, server.port)
        finding = scene.judged("prefix-caching-helps").finding
        assert server.surprises == []
        found = observe(scene.site, Stage.STAGING)
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "forcing chunked prefill and prefix caching to be disabled" in finding.because
    assert (found.pairs, found.length) == ((), 16_384)
