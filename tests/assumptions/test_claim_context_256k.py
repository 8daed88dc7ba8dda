"""context-256k: a smaller window than the guide's stays UNKNOWN, and truncation in any form fails."""

import json
from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.context_256k import COMPLETION, GUIDE_TOKENS, Window, judge
from serving.client import Reply
from tests.recorded import recordings

INVENTORY = recordings.rehearsal()
RECORDED = Window(
    declared=32_768,
    full=recordings.reply("full window"),
    again=None,
    one_over=recordings.reply("one token over"),
    no_room=recordings.reply("no room for an answer"),
    prefix_caching=False,
)


def rebuilt(reply: Reply, status: int | None = None, **usage: Any) -> Reply:
    """A recorded reply with other usage; None takes a field away."""
    body = json.loads(reply.text)
    if usage:
        kept = {**(body.get("usage") or {}), **usage}
        body["usage"] = {key: value for key, value in kept.items() if value is not None}
    return replace(reply, status=reply.status if status is None else status, body=body, text=json.dumps(body))


def scaled(cached: int = GUIDE_TOKENS - 128) -> Window:
    """The recording with the guide's length in every figure, and a prefix cache as an AMX machine keeps one."""
    whole = {"prompt_tokens": GUIDE_TOKENS - COMPLETION, "total_tokens": GUIDE_TOKENS}
    message = RECORDED.one_over.text.replace("32768", "262144").replace("32769", "262145")
    return Window(
        declared=GUIDE_TOKENS,
        full=rebuilt(RECORDED.full, **whole),
        again=rebuilt(RECORDED.full, **whole, prompt_tokens_details={"cached_tokens": cached}),
        one_over=replace(RECORDED.one_over, body=json.loads(message), text=message),
        no_room=RECORDED.no_room,
        prefix_caching=None,
    )


def outcomes(seen: Window) -> dict[str, Outcome]:
    return {part.name: part.outcome for part in judge(seen, INVENTORY).parts}


def test_the_declared_window_passes_and_the_guides_stays_unknown() -> None:
    finding = judge(RECORDED, INVENTORY)
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.because.startswith("guide-256k: only 32,768 tokens were declared")
    assert outcomes(RECORDED) == {
        "declared-window": Outcome.PASS,
        "one-token-over": Outcome.PASS,
        "no-room-to-answer": Outcome.PASS,
        "prefix-cache": Outcome.NOT_APPLICABLE,
        "guide-256k": Outcome.UNKNOWN,
    }
    assert (finding.value, finding.unit) == (32_768.0, "tokens")
    assert finding.notes == (
        "At the declared length: the declared 32,768 tokens are served in full and one more is refused.",
    )


def test_the_guides_length_passes() -> None:
    finding = judge(scaled(), INVENTORY)
    assert (finding.outcome, finding.value) == (Outcome.PASS, 262_144.0)
    assert set(outcomes(scaled()).values()) == {Outcome.PASS}
    assert finding.notes == ()


def test_the_guides_length_passes_where_the_engine_keeps_no_prefix_cache() -> None:
    seen = replace(scaled(), again=None, prefix_caching=False)
    assert judge(seen, INVENTORY).outcome is Outcome.PASS
    assert outcomes(seen)["prefix-cache"] is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("declared", [16, 131_072, 262_143])
def test_one_token_less_than_the_guide_never_passes(declared: int) -> None:
    seen = replace(scaled(), declared=declared)
    assert judge(seen, INVENTORY).outcome is not Outcome.PASS
    assert outcomes(seen)["guide-256k"] is Outcome.UNKNOWN


WHOLE = GUIDE_TOKENS - COMPLETION
FAULTS: dict[str, tuple[str, Window]] = {
    "prompt cut short": ("declared-window", replace(scaled(), full=rebuilt(scaled().full, prompt_tokens=WHOLE - 1))),
    "answer cut short": ("declared-window", replace(scaled(), full=rebuilt(scaled().full, completion_tokens=7))),
    "no usage": ("declared-window", replace(scaled(), full=rebuilt(scaled().full, prompt_tokens=None))),
    "full window refused": ("declared-window", replace(scaled(), full=rebuilt(scaled().one_over))),
    "server error": ("declared-window", replace(scaled(), full=rebuilt(scaled().full, status=500))),
    "too long is accepted": ("one-token-over", replace(scaled(), one_over=scaled().full)),
    "too long is refused for another length": ("one-token-over", replace(scaled(), one_over=RECORDED.one_over)),
    "no room is accepted": ("no-room-to-answer", replace(scaled(), no_room=scaled().full)),
    "cache gives a half": ("prefix-cache", scaled(cached=GUIDE_TOKENS // 2)),
    "cache gives nothing": ("prefix-cache", scaled(cached=0)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_fails_its_part_and_the_claim(fault: str) -> None:
    part, seen = FAULTS[fault]
    finding = judge(seen, INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert finding.because.startswith(f"{part}: ")
    assert [name for name, outcome in outcomes(seen).items() if outcome is not Outcome.PASS] == [part]


@pytest.mark.parametrize(
    "seen",
    [
        replace(RECORDED, full=rebuilt(RECORDED.full, prompt_tokens=32_759)),
        replace(RECORDED, one_over=RECORDED.full),
        replace(RECORDED, no_room=RECORDED.full),
    ],
)
def test_a_fault_at_a_smaller_window_fails_and_is_never_only_unknown(seen: Window) -> None:
    finding = judge(seen, INVENTORY)
    assert (finding.outcome, finding.notes) == (Outcome.FAIL, ())


@pytest.mark.parametrize(
    "again",
    [rebuilt(RECORDED.full, prompt_tokens_details=None), rebuilt(RECORDED.full, status=503)],
    ids=["no cached_tokens in usage", "second request refused"],
)
def test_a_cache_that_could_not_be_seen_is_unknown(again: Reply) -> None:
    seen = replace(scaled(), again=again)
    assert outcomes(seen)["prefix-cache"] is Outcome.UNKNOWN
    assert judge(seen, INVENTORY).outcome is Outcome.UNKNOWN


def test_bodies_that_are_not_json_are_no_pass() -> None:
    seen = replace(scaled(), full=Reply(200, None, "<html>", 1.0, "r1"))
    assert judge(seen, INVENTORY).outcome is Outcome.FAIL
