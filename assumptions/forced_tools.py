"""Claim: tool_choice is obeyed: required, one by name among several, and none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._api import OPENAI, ask, content, finish, request, unusable
from assumptions._api_tools import TRAIN, WEATHER, broken, calls, named, names, told, tools
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

QUESTION = "Say hello."  # no tool fits it, so that a call is the choice's doing
NO_SUCH = "no_such_tool"


@dataclass(frozen=True, slots=True)
class Forced:
    """The answers to each tool_choice with two tools offered; `unknown` names a tool that is not."""

    required: Reply
    weather: Reply
    train: Reply
    none: Reply
    unknown: Reply


def observe(site: Site, stage: Stage) -> Forced:
    """Five requests with the same two tools."""
    offer = tools(WEATHER, TRAIN)
    with served(site, stage) as at:

        def one(purpose: str, choice: object, expected: int = 200) -> Reply:
            body = request(site.inventory, QUESTION, tools=offer, tool_choice=choice)
            return ask(at.client, f"tool_choice {purpose}", body, expected=expected)

        return Forced(
            one("required", "required"),
            one(WEATHER, named(WEATHER)),
            one(TRAIN, named(TRAIN)),
            one("none", "none"),
            one(NO_SUCH, named(NO_SUCH), 400),
        )


def _must(name: str, reply: Reply, allowed: tuple[str, ...]) -> Part:
    """At least one call, all of the allowed tools, with arguments of the schema."""
    wanted = f"a call of {' or '.join(allowed)}"
    if (part := unusable(name, reply, expected=wanted)) is not None:
        return part
    found = calls(reply)
    wrong = next((why for call in found if (why := broken(call))), "")
    others = [each for each in names(found) if each not in allowed]
    if not found or wrong or others:
        cut = finish(reply) == "length"
        said = wrong or (f"calls {others[0]}" if others else f"no call, finish {finish(reply)!r}")
        return check(name, None if cut and not others else False, said, expected=wanted, measured=told(found))
    return check(name, True, told(found), expected=wanted, measured=", ".join(names(found)))


def _none(reply: Reply) -> Part:
    if (part := unusable("none", reply, expected="words")) is not None:
        return part
    found = calls(reply)
    said = told(found) if found else f"{len(content(reply))} characters"
    return check("none", not found, said, expected="words", measured=len(found))


def _unknown(reply: Reply) -> Part:
    """Refused; an answer without a call is no obedience either."""
    refused = 400 <= reply.status < 500
    said = f"status {reply.status}" + (f": {reply.message[:120]}" if reply.status != 200 else "")
    holds = None if not refused and reply.status != 200 and reply.status > 500 else refused
    return check("unknown tool", holds, said, expected=400, measured=reply.status)


def _parts(seen: Forced) -> Iterator[Part]:
    yield _must("required", seen.required, (WEATHER, TRAIN))
    yield _must("first by name", seen.weather, (WEATHER,))
    yield _must("second by name", seen.train, (TRAIN,))
    yield _none(seen.none)
    yield _unknown(seen.unknown)


def judge(seen: Forced, inventory: Inventory) -> Finding:
    """Each choice must show in the answer to a question that no tool fits."""
    return finding(
        _parts(seen),
        good="required and each tool by name are obeyed, none keeps the model from calling",
        expected="a call where one is required, of the named tool where one is named, none where none is wanted",
        source=f"{OPENAI}: tool_choice",
    )


ASSUMPTION = Assumption(
    id="forced-tools",
    guide="K2 Thinking guide §5.1",
    states="tool_choice is obeyed: a call can be required, one tool be named, and calls be forbidden.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Use a vLLM whose structured outputs know the model's tool-call format (0.12 or later), send tools with "
    "`strict: true`, and check the part that failed against the raw record.",
    version=1,
    observe=observe,
    judge=judge,
)
