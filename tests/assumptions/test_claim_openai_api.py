"""openai-api: each behaviour that a client relies on fails the claim when it alone is missing."""

import json
from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.openai_api import Answers, judge
from serving.client import Answer, Reply
from tests.recorded import recordings

INVENTORY = recordings.rehearsal()


def _recorded(stage: str) -> Answers:
    replies = ("health", "models", "unknown model", "bad body", "no key", "wrong key")
    answers = {name: recordings.answer(name.replace("tool", "forced tool"), stage) for name in ("chat", "tool")}
    return Answers(
        live=stage == "live",
        model="tiny-k2",
        stream=replace(recordings.answer("stream", stage)),
        open_route=recordings.reply("", stage),
        **answers,
        **{name.replace(" ", "_"): recordings.reply(name, stage) for name in replies},
    )


STAGED, LIVE = _recorded("staging"), _recorded("live")


def outcomes(seen: Answers) -> dict[str, Outcome]:
    return {part.name: part.outcome for part in judge(seen, INVENTORY).parts}


@pytest.mark.parametrize(("seen", "count"), [(STAGED, 12), (LIVE, 13)], ids=["staging", "live"])
def test_the_recorded_answers_pass(seen: Answers, count: int) -> None:
    finding = judge(seen, INVENTORY)
    assert (finding.outcome, finding.value) == (Outcome.PASS, float(count))
    assert finding.because == f"all {count} behaviours that clients rely on were seen"
    assert ("closed-routes" in outcomes(seen)) is seen.live


def test_what_is_odd_and_harmless_is_a_note() -> None:
    assert ["/health has an empty body" in note for note in judge(STAGED, INVENTORY).notes] == [True, False]
    assert "answers /invocations without a key" in judge(STAGED, INVENTORY).notes[1]
    assert len(judge(LIVE, INVENTORY).notes) == 1
    assert judge(replace(LIVE, health=replace(LIVE.health, text='{"status": "ok"}')), INVENTORY).notes == ()


def status(name: str, to: int, seen: Answers = STAGED) -> Answers:
    return replace(seen, **{name: replace(getattr(seen, name), status=to)})


def said(name: str, **to: Any) -> Answers:
    return replace(STAGED, **{name: replace(getattr(STAGED, name), **to)})


def call(name: str = "get_weather", arguments: Any = None, raw: str | None = None) -> Answers:
    text = raw if raw is not None else json.dumps(arguments)
    return said("tool", tool_calls=({"function": {"name": name, "arguments": text}},))


REFUSED = Answer("", "", "400: no", None, None, None)
OTHER_MODELS = Reply(200, {"data": [{"id": "another"}]}, "", 0.0, "r1")
NOT_JSON = Reply(200, None, "<html>", 0.0, "r1")
FAULTS: dict[str, tuple[set[str], Answers]] = {
    "unhealthy": ({"health"}, status("health", 503)),
    "another model": ({"models"}, replace(STAGED, models=OTHER_MODELS)),
    "models is a page": ({"models"}, replace(STAGED, models=NOT_JSON)),
    "models refused": ({"models"}, status("models", 401)),
    "empty chat": ({"chat"}, said("chat", content="")),
    "chat cut short": ({"chat"}, said("chat", finish="length")),
    "chat refused": ({"chat", "chat-usage"}, replace(STAGED, chat=REFUSED)),
    "chat without usage": ({"chat-usage"}, said("chat", prompt_tokens=None)),
    "chat counts nothing": ({"chat-usage"}, said("chat", completion_tokens=0)),
    "empty stream": ({"stream"}, said("stream", content="")),
    "stream without usage": ({"stream-usage"}, said("stream", completion_tokens=None)),
    "stream in one piece": ({"stream-chunks"}, said("stream", chunks=2)),
    "no tool call": ({"forced-tool"}, said("tool", tool_calls=())),
    "tool refused": ({"forced-tool"}, replace(STAGED, tool=REFUSED)),
    "another tool": ({"forced-tool"}, call("get_time", {"city": "", "days": 0})),
    "arguments not JSON": ({"forced-tool"}, call(raw='{"city": ')),
    "arguments a list": ({"forced-tool"}, call(arguments=["city", "days"])),
    "argument missing": ({"forced-tool"}, call(arguments={"city": ""})),
    "argument too many": ({"forced-tool"}, call(arguments={"city": "", "days": 1, "x": 1})),
    "days is text": ({"forced-tool"}, call(arguments={"city": "", "days": "2"})),
    "days is true": ({"forced-tool"}, call(arguments={"city": "", "days": True})),
    "city is a number": ({"forced-tool"}, call(arguments={"city": 1, "days": 2})),
    "unknown model answered": ({"unknown-model"}, status("unknown_model", 200)),
    "bad body is the server's fault": ({"bad-body"}, status("bad_body", 500)),
    "open without a key": ({"no-key"}, status("no_key", 200)),
    "any key will do": ({"wrong-key"}, status("wrong_key", 200)),
    "wrong key is forbidden, not unauthorised": ({"wrong-key"}, status("wrong_key", 403)),
    "open route through the gateway": ({"closed-routes"}, status("open_route", 200, LIVE)),
    "open route hits the engine": ({"closed-routes"}, status("open_route", 500, LIVE)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_fails_its_part_and_the_claim(fault: str) -> None:
    parts, seen = FAULTS[fault]
    finding = judge(seen, INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert {name for name, outcome in outcomes(seen).items() if outcome is not Outcome.PASS} == parts
    assert finding.because.split(": ")[0] in parts
    assert finding.value == len(finding.parts) - len(parts)


def test_every_part_can_fail() -> None:
    assert {part for parts, _ in FAULTS.values() for part in parts} == set(outcomes(LIVE))


@pytest.mark.parametrize("to", [401, 403, 404])
def test_any_refusal_closes_a_route(to: int) -> None:
    assert judge(status("open_route", to, LIVE), INVENTORY).outcome is Outcome.PASS
