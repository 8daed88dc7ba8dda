"""Claim: an answer ends before a stop sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._api import OPENAI, ask, choice, content, finish, request, thinking, unusable
from assumptions._api_stream import Streamed, stream, unstreamed
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

QUESTION = "Name the seven days of the week in their order, in one sentence."


@dataclass(frozen=True, slots=True)
class Stopped:
    """The free answer, a word from its middle, and what came with that word as the stop sequence.

    `inside` is the answer with a word of the thinking as the stop sequence.  None: there was no such word.
    """

    free: Reply
    stop: str
    whole: Reply | None
    streamed: Streamed | None
    inside: Reply | None


def observe(site: Site, stage: Stage) -> Stopped:
    """At most four requests at temperature 0; the stop sequence is a word that the model said by itself."""
    body = request(site.inventory, QUESTION)
    with served(site, stage) as at:
        free = ask(at.client, "no stop", body)
        word, thought = middle(content(free)), middle(thinking(free), other_than=content(free))
        if not word:
            return Stopped(free, "", None, None, None)
        stopping = {**body, "stop": [word]}
        return Stopped(
            free,
            word,
            ask(at.client, "stop", stopping),
            stream(at.client, "stop, streamed", stopping),
            ask(at.client, "stop in the thinking", {**body, "stop": [thought]}) if thought else None,
        )


def middle(text: str, other_than: str = "") -> str:
    """A word behind the first half of a text, which does not stand before; "" where there is none."""
    words = text.split()
    half = words[len(words) // 2 :] if len(words) > 3 else []
    return next((w for w in half if len(w) > 3 and w not in other_than and text.index(w) >= len(text) // 3), "")


def _ended(name: str, said: str, why: str | None, reason: object, seen: Stopped) -> Part:
    """Nothing of the stop sequence, what stood before it, finish `stop`; another text altogether shows nothing."""
    wanted = f"ends before {seen.stop!r}"
    if seen.stop in said:
        return check(name, False, f"{seen.stop!r} stands in it", expected=wanted, measured=len(said))
    if why != "stop":
        return check(name, None if why == "length" else False, f"finish {why!r}", expected=f"{wanted}, finish 'stop'")
    before = content(seen.free).partition(seen.stop)[0]
    same = said.strip() == before.strip()
    if not same and reason != seen.stop:
        cut = before.strip().startswith(said.strip())
        told = f"{len(said)} of the {len(before)} characters before it" if cut else "another text than the free one"
        return check(name, False if cut else None, told, expected=wanted, measured=len(said))
    return check(name, True, f"{len(said)} characters, finish 'stop'", expected=wanted, measured=len(said))


def _parts(seen: Stopped) -> Iterator[Part]:
    if (part := unusable("free", seen.free)) is not None:
        yield part
        return
    if seen.whole is None or seen.streamed is None:
        yield check("whole", None, "the free answer is too short to be stopped within", expected="more than 3 words")
        return
    part = unusable("whole", seen.whole)
    reason = choice(seen.whole).get("stop_reason")
    yield part or _ended("whole", content(seen.whole), finish(seen.whole), reason, seen)
    part = unstreamed("streamed", seen.streamed)
    ends = seen.streamed.finishes[-1] if seen.streamed.finishes else None
    yield part or _ended("streamed", seen.streamed.content, ends, None, seen)


def judge(seen: Stopped, inventory: Inventory) -> Finding:
    """Whole and streamed end before the sequence, with what stood before it and finish `stop`."""
    inside = seen.inside
    cut = inside is not None and unusable("", inside) is None and not content(inside)
    note = "A stop sequence that occurs in the thinking ends the request there, without an answer: choose rare ones."
    return finding(
        _parts(seen),
        good=f"the answer ends before {seen.stop!r}, streamed too",
        expected="the text before the stop sequence, and finish 'stop'",
        source=f"{OPENAI}: stop; the returned text does not contain the sequence",
        notes=(note,) if cut else (),
    )


ASSUMPTION = Assumption(
    id="stop-sequences",
    guide="K2 Thinking guide §9",
    states="An answer ends before a stop sequence, and does not contain it.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Cut the text at the sequence in the application, and choose sequences that thinking does not contain.",
    version=2,
    observe=observe,
    judge=judge,
)
