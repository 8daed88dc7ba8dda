"""Claim: the thinking is handed out under a field of its own, streamed too, and never inside the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._api import PROMPT, ask, content, message, request, spent, thinking, unusable
from assumptions._api_stream import FIELDS, Streamed, stream, unstreamed
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

MARKS = ("<think>", "</think>", "◁think▷", "◁/think▷")  # Kimi's own words for where thinking begins and ends
LEAST = 20  # characters of thinking that would not stand in an answer by chance
SOURCE = (
    "vLLM documentation, reasoning outputs: the field is `reasoning`; `reasoning_content` in vLLM 0.11 and in SGLang"
)


@dataclass(frozen=True, slots=True)
class Trace:
    """The same question as one answer and as a stream."""

    whole: Reply
    streamed: Streamed


def observe(site: Site, stage: Stage) -> Trace:
    """One question, twice."""
    body = request(site.inventory, PROMPT)
    with served(site, stage) as at:
        return Trace(ask(at.client, "thinking, whole", body), stream(at.client, "thinking, streamed", body))


def _names(reply: Reply) -> tuple[str, ...]:
    return tuple(name for name in FIELDS if message(reply).get(name))


def _exposed(name: str, fields: tuple[str, ...], thought: str, said: str, counted: int | None) -> Part:
    """Under a known name; thinking that was counted or stands in the answer is there, and under none."""
    wanted = " or ".join(FIELDS)
    if fields:
        told = f"{len(thought)} characters under {' and '.join(f'`{field}`' for field in fields)}"
        return check(name, True, told, expected=wanted, measured=", ".join(fields))
    if mark := next((mark for mark in MARKS if mark in said), ""):
        return check(name, False, f"no field of its own; {mark} stands in the answer", expected=wanted)
    if counted:
        return check(name, False, f"{counted} thinking tokens are counted, and no field holds them", expected=wanted)
    return check(name, None, "nothing was thought, or it is neither shown nor counted", expected=wanted)


def _clean(name: str, thought: str, said: str) -> Part:
    """The answer is there, holds no mark, and does not repeat the thinking."""
    if not said:
        return check(name, None, "there is no answer that thinking could stand in", expected="no thinking in it")
    mark = next((mark for mark in MARKS if mark in said), "")
    repeated = len(thought.strip()) >= LEAST and thought.strip() in said
    told = f"{mark} stands in it" if mark else "it repeats the thinking" if repeated else f"{len(said)} characters"
    return check(name, not mark and not repeated, told, expected="no thinking in it", measured=mark or repeated)


def _parts(seen: Trace) -> Iterator[Part]:
    if (part := unusable("whole", seen.whole)) is not None:
        yield part
    else:
        yield _exposed("whole", _names(seen.whole), thinking(seen.whole), content(seen.whole), spent(seen.whole))
        yield _clean("answer", thinking(seen.whole), content(seen.whole))
    if (part := unstreamed("streamed", seen.streamed)) is not None:
        yield part
        return
    streamed = seen.streamed
    yield _exposed("streamed", streamed.fields, streamed.thinking, streamed.content, None)
    yield _clean("streamed answer", streamed.thinking, streamed.content)
    if _names(seen.whole) and streamed.fields:
        same = _names(seen.whole) == streamed.fields
        told = f"whole {', '.join(_names(seen.whole))}; streamed {', '.join(streamed.fields)}"
        yield check("same name", same, told, expected="the same name", measured=told)


def judge(seen: Trace, inventory: Inventory) -> Finding:
    """Both times under a known name, the same one, and never in the answer; without thinking nothing is shown."""
    names = ", ".join(_names(seen.whole)) or "no field"
    notes = (
        ("The field is `reasoning`: a client that reads `reasoning_content` alone sees no thinking.",)
        if _names(seen.whole) == ("reasoning",)
        else ()
    )
    return finding(
        _parts(seen),
        good=f"the thinking comes as `{names}`, streamed too, and stays out of the answer",
        expected="thinking under a field of its own, whole and streamed, and none of it in the answer",
        source=SOURCE,
        notes=notes,
    )


ASSUMPTION = Assumption(
    id="thinking-trace-field",
    guide="K2 Thinking guide §5.1",
    states="The API hands out the thinking under a field of its own, streamed too, and keeps it out of the answer.",
    stages=(Stage.STAGING, Stage.LIVE),
    severity=Severity.ADVISORY,
    remedy="Start the engine with the model's reasoning parser (--reasoning-parser kimi_k2), and let clients read "
    "`reasoning` first and `reasoning_content` after it.",
    version=2,
    observe=observe,
    judge=judge,
)
