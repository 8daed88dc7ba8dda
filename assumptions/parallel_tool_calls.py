"""Claim: several tools can be called in one turn, and parallel_tool_calls false keeps it to one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assumptions._api import OPENAI, TINY, ask, content, finish, rehearsed, request, token, unusable
from assumptions._api_tools import SECTION_ENDS, WEATHER, broken, calls, results, told, tools
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

QUESTION = "What is the weather tomorrow in Paris and in Oslo? Call the tool once for each city, in one turn."
FEW = 160  # tokens for the calls of the rehearsal's model, which is kept from ending them
NEVER = -100


@dataclass(frozen=True, slots=True)
class Parallel:
    """The calls with parallel_tool_calls on and off, and a conversation in which two were made and answered.

    `kept_open`: the model was kept from closing its list of calls.
    """

    kept_open: bool
    several: Reply
    single: Reply
    after: Reply


def observe(site: Site, stage: Stage) -> Parallel:
    """Three requests."""
    inventory = site.inventory
    with served(site, stage) as at:
        offer: dict[str, Any] = {"tools": tools(WEATHER)}
        if rehearsed(inventory):  # its table closes the list after the first call
            bias = {str(token(at.client, SECTION_ENDS)): NEVER}
            offer |= {"tool_choice": "required", "logit_bias": bias, "max_tokens": FEW}
        several = ask(at.client, "parallel calls", request(inventory, QUESTION, **offer))
        single = ask(at.client, "one call", request(inventory, QUESTION, **offer, parallel_tool_calls=False))
        history = results((f"functions.{WEATHER}:0", "Paris"), (f"functions.{WEATHER}:1", "Oslo"))
        after = ask(at.client, "two results", request(inventory, messages=history, tools=tools(WEATHER)))
        return Parallel(rehearsed(inventory), several, single, after)


def _whole(reply: Reply) -> tuple[Any, ...]:
    """The calls; of an answer that was cut the last one may be half."""
    found = calls(reply)
    return found[:-1] if finish(reply) == "length" and found and broken(found[-1]) else found


def _several(reply: Reply) -> Part:
    wanted = ">= 2 calls that can be run"
    if (part := unusable("several", reply, expected=wanted)) is not None:
        return part
    found = _whole(reply)
    if wrong := next((why for call in found if (why := broken(call))), ""):
        return check("several", False, wrong, expected=wanted, measured=len(found))
    said = told(found) if len(found) >= 2 else f"{told(found)}: the model made no second call, so none was seen"
    return check("several", True if len(found) >= 2 else None, said, expected=wanted, measured=len(found))


def _ids(reply: Reply, inventory: Inventory) -> Part:
    """Ids that differ, so that each result finds its call."""
    found = [str(call.get("id")) for call in _whole(reply) if isinstance(call, dict)]
    if len(found) < 2:
        return check("ids", None, "no two calls to compare", expected="each its own")
    own = len(set(found)) == len(found)
    said = ", ".join(found[:4])
    if not own and rehearsed(inventory):
        return check("ids", None, f"{said}: the engine hands on what the model writes; {TINY}", expected="each its own")
    return check("ids", own, said, expected="each its own", measured=len(set(found)))


def _single(seen: Parallel) -> Part:
    if (part := unusable("single", seen.single, expected="1 call")) is not None:
        return part
    count, before = len(calls(seen.single)), len(_whole(seen.several))
    if count > 1:
        return check("single", False, f"{count} calls in spite of it", expected="1 call", measured=count)
    shown = count == 1 and before >= 2
    said = f"{count} where {before} were made without it" + ("" if shown else ": nothing was held back")
    return check("single", True if shown else None, said, expected="1 call", measured=count)


def _parts(seen: Parallel, inventory: Inventory) -> Iterator[Part]:
    yield _several(seen.several)
    yield _ids(seen.several, inventory)
    yield _single(seen)
    if (part := unusable("two results", seen.after, expected="an answer")) is not None:
        yield part
        return
    goes_on = bool(content(seen.after) or calls(seen.after))
    yield check("two results", goes_on, "taken" if goes_on else "nothing follows", expected="an answer")


def judge(seen: Parallel, inventory: Inventory) -> Finding:
    """Several calls in one turn, each with its own id; one alone on request; both results taken."""
    note = "The hand-made checkpoint was kept from closing its list of calls, so that it made several."
    return finding(
        _parts(seen, inventory),
        good=f"{len(_whole(seen.several))} calls in one turn, one with parallel_tool_calls false, both results taken",
        expected="several calls in one turn, each with its own id; one alone with parallel_tool_calls false",
        source=f"{OPENAI}: parallel_tool_calls",
        value=float(len(_whole(seen.several))),
        unit="calls in one turn",
        limit=2.0,
        notes=(note,) if seen.kept_open else (),
    )


ASSUMPTION = Assumption(
    id="parallel-tool-calls",
    guide="K2 Thinking guide §1.3, §5.1",
    states="Several tools can be called in one turn, and an application can ask for one at a time.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Send parallel_tool_calls: false and run one call a turn where the parser loses calls or ids repeat.",
    version=1,
    observe=observe,
    judge=judge,
)
