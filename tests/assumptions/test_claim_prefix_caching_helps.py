"""prefix-caching-helps: cached tokens and seconds of each pair; off on this platform is not judged."""

import json
from pathlib import Path
from typing import Any

import pytest

from assumptions._core import Outcome, Stage
from assumptions.prefix_caching_helps import Pair, Repeats, judge, observe
from serving.client import Reply
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


def judged(*pairs: Pair) -> Outcome:
    return judge(Repeats(LENGTH, pairs), INVENTORY).outcome


def test_cached_and_sooner_passes() -> None:
    finding = judge(Repeats(LENGTH, (pair(), pair(again=0.4))), INVENTORY)
    assert (finding.outcome, finding.value) == (Outcome.PASS, 0.2)
    assert len(finding.parts) == 4


@pytest.mark.parametrize(
    ("second", "outcome"),
    [
        (pair(again=1.0), Outcome.PASS),
        (pair(again=1.01), Outcome.FAIL),
        (pair(after=14_745), Outcome.PASS),
        (pair(after=14_744), Outcome.FAIL),
        (pair(after=0), Outcome.FAIL),
        (pair(before=16_000), Outcome.UNKNOWN),
        (pair(after=None), Outcome.UNKNOWN),
        (pair(first=0.0), Outcome.UNKNOWN),
        (Pair(reply(2.0, 0), reply(0.2, 16_256, 503)), Outcome.UNKNOWN),
    ],
)
def test_one_pair_decides(second: Pair, outcome: Outcome) -> None:
    assert judged(pair(), second) is outcome
    assert judged(second, pair()) is outcome


def test_no_pair_is_unknown() -> None:
    assert judged() is Outcome.UNKNOWN


def test_a_body_that_is_no_json_is_unknown() -> None:
    assert judged(Pair(reply(2.0, 0), Reply(200, None, "<html>", 0.2, "r1"))) is Outcome.UNKNOWN


def test_an_engine_that_switched_it_off_is_asked_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_key(monkeypatch)
    with replaying() as server:
        scene = Scene(tmp_path, Stage.STAGING, server.port)
        finding = scene.judged("prefix-caching-helps").finding
        assert server.surprises == []
        seen = observe(scene.site, Stage.STAGING)
    assert finding.outcome is Outcome.NOT_APPLICABLE
    assert "forcing chunked prefill and prefix caching to be disabled" in finding.because
    assert (seen.pairs, seen.length) == ((), 16_384)
