"""Claim: a tool call that the model makes arrives as a call: name and arguments parsed, none of it in the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assumptions._api import ask, content, finish, rehearsed, request, token, unusable
from assumptions._api_stream import Streamed, stream, unstreamed
from assumptions._api_tools import WEATHER, broken, calls, leaked, results, told, tools
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import Served, served
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

QUESTIONS = (
    "What is the weather in Paris for the next two days? Use the tool.",
    "Look up the weather in Oslo for one day.",
    "Is it going to rain in Lima within three days? Check before you answer.",
)
FIRST_WORD = " I"  # what the rehearsal's model says after thinking; without it the next in its table is a tool call
NEVER = -100  # OpenAI's logit_bias: as good as banned
SOURCE = "OpenAI API reference, tools; Kimi K2's call ids are functions.NAME:INDEX (MoonshotAI/K2-Vendor-Verifier)"


@dataclass(frozen=True, slots=True)
class Called:
    """The questions' answers, one as a stream, and what follows a call's result.

    `opened`: the model was kept from its first word, so that it opened a call; nobody told it what to call.
    """

    opened: bool
    answers: tuple[Reply, ...]
    streamed: Streamed
    after: Reply


def observe(site: Site, stage: Stage) -> Called:
    """Tools offered and nothing forced; then a conversation in which a tool was called and answered."""
    inventory = site.inventory
    with served(site, stage) as at:
        offer: dict[str, Any] = {"tools": tools(WEATHER), **_opening(site, at)}
        asked = QUESTIONS[:1] if rehearsed(inventory) else QUESTIONS
        bodies = [request(inventory, question, **offer) for question in asked]
        answers = tuple(ask(at.client, "a tool offered", body) for body in bodies)
        streamed = stream(at.client, "a tool offered, streamed", bodies[0])
        history = results((f"functions.{WEATHER}:0", "Paris"))
        after = ask(at.client, "a call's result", request(inventory, messages=history, tools=tools(WEATHER)))
        return Called(rehearsed(inventory), answers, streamed, after)


def _opening(site: Site, at: Served) -> Mapping[str, Any]:
    """The rehearsal's model always says its sentence first; only the engine's own port tells a word's token."""
    if not rehearsed(site.inventory):
        return {}
    with site.client(at.slot.port, timeout=60) as engine:
        return {"logit_bias": {str(token(engine, FIRST_WORD)): NEVER}}


def _answer(name: str, reply: Reply) -> Part:
    """Words, or calls that can be run; never a call's own marks among the words."""
    if (part := unusable(name, reply)) is not None:
        return part
    found = calls(reply)
    mark, wrong = leaked(content(reply)), next((why for call in found if (why := broken(call))), "")
    if mark:
        return check(name, False, f"{mark} stands in the answer: the call was not parsed", expected="no mark of a call")
    if wrong and finish(reply) == "length":
        return check(name, None, f"cut at max_tokens within a call: {wrong}", expected="a call that can be run")
    if wrong or not found:
        return check(name, not wrong, wrong or "answered in words", expected="a call that can be run")
    ended = finish(reply) == "tool_calls"
    said = told(found) if ended else f"{told(found)}, but finish {finish(reply)!r}"
    return check(name, ended, said, expected="finish 'tool_calls'", measured=finish(reply))


def _streamed(seen: Streamed, whole: Reply) -> Part:
    """The pieces of a streamed call make the same kind of call."""
    if (part := unstreamed("streamed", seen)) is not None:
        return part
    mark, wrong = leaked(seen.content), next((why for call in seen.calls if (why := broken(call))), "")
    if mark or wrong:
        said = f"{mark} stands in the answer: the call was not parsed" if mark else wrong
        return check("streamed", False, said, expected="a call that can be run")
    if not seen.calls:
        same = None if not calls(whole) else False
        said = "answered in words" + ("" if same is None else ", where the whole answer was a call")
        return check("streamed", same, said, expected="a call that can be run")
    return check("streamed", True, told(seen.calls), expected="a call that can be run", measured=len(seen.calls))


def _parts(seen: Called) -> Iterator[Part]:
    for number, reply in enumerate(seen.answers, start=1):
        yield _answer(f"question {number}", reply)
    called = sum(bool(calls(reply)) for reply in seen.answers)
    unanswered = any(unusable("", reply) is not None for reply in seen.answers)
    said = f"{called} of {len(seen.answers)} questions led to a call"
    yield check("called", True if called else None if unanswered else False, said, expected=">= 1", measured=called)
    if seen.answers:
        yield _streamed(seen.streamed, seen.answers[0])
    if (part := unusable("result", seen.after, expected="an answer")) is not None:
        yield part
        return
    goes_on = bool(content(seen.after) or calls(seen.after))
    said = "the conversation goes on" if goes_on else f"nothing follows, finish {finish(seen.after)!r}"
    yield check("result", goes_on, said, expected="an answer", measured=len(content(seen.after)))


def judge(seen: Called, inventory: Inventory) -> Finding:
    """Every call can be run, none stands in the answer, one at least is made, and a call's result is taken."""
    called = sum(bool(calls(reply)) for reply in seen.answers)
    note = (
        "The hand-made checkpoint was kept from its first word, so that it opened a call: what is shown is the parser, "
        "not whether a model calls when it should (tool-trigger-agreement)."
    )
    return finding(
        _parts(seen),
        good=f"{called} of {len(seen.answers)} questions led to a call that can be run; its result is taken",
        expected="tool_calls with the offered name and arguments of its schema, whole and streamed",
        source=SOURCE,
        notes=(note,) if seen.opened else (),
    )


ASSUMPTION = Assumption(
    id="tool-calling",
    guide="K2 Thinking guide §1.3, §5.1",
    states="The model calls tools natively: a call arrives as a call, with a name and arguments that parse.",
    stages=(Stage.STAGING, Stage.LIVE),
    severity=Severity.BLOCKING,
    remedy="Start the engine with --enable-auto-tool-choice and the model's own parser (--tool-call-parser kimi_k2), "
    "with the checkpoint's current chat template; send `strict: true` where arguments must fit their schema.",
    version=2,
    observe=observe,
    judge=judge,
)
