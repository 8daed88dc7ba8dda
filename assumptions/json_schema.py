"""Claim: an answer asked for in a JSON schema fits that schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from assumptions._api import OPENAI, ask, content, finish, request, unusable
from assumptions._api_schema import read, record
from assumptions._core import Assumption, Finding, Outcome, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from assumptions.formulas.intervals import wilson
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

QUESTION = "Describe one day's weather in Utrecht."
WHOLE, TEXT = {"type": "integer"}, {"type": "string"}
SCHEMAS: Mapping[str, dict[str, Any]] = {
    "flat": record(city=TEXT, degrees=WHOLE),
    "enum": record(sky={"type": "string", "enum": ["clear", "cloudy", "rain"]}),
    "nested": record(place=record(city=TEXT, country=TEXT), wind=record(from_=TEXT, knots=WHOLE)),
    "array": record(hourly={"type": "array", "items": WHOLE, "minItems": 1, "maxItems": 3}),
    "array of objects": record(
        hours={"type": "array", "items": record(hour=WHOLE, wet={"type": "boolean"}), "minItems": 1, "maxItems": 2}
    ),
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A schema and the answer to the question under it."""

    name: str
    schema: dict[str, Any]
    reply: Reply


@dataclass(frozen=True, slots=True)
class Shaped:
    """Every schema's answer."""

    answers: tuple[Answered, ...]


def observe(site: Site, stage: Stage) -> Shaped:
    """The same question under each schema."""
    with served(site, stage) as at:

        def one(name: str, schema: dict[str, Any]) -> Answered:
            wanted = {"type": "json_schema", "json_schema": {"name": "weather", "schema": schema, "strict": True}}
            body = request(site.inventory, QUESTION, response_format=wanted)
            return Answered(name, schema, ask(at.client, f"schema {name}", body))

        return Shaped(tuple(one(name, schema) for name, schema in SCHEMAS.items()))


def _part(one: Answered) -> Part:
    """JSON that fits; a text that max_tokens cut off shows nothing."""
    if (part := unusable(one.name, one.reply, expected="JSON of the schema")) is not None:
        return part
    text = content(one.reply)
    wrong = read(text, one.schema)[1]
    cut = wrong and finish(one.reply) == "length"
    said = f"cut at max_tokens: {wrong}" if cut else wrong or text[:120]
    return check(one.name, None if cut else not wrong, said, expected="JSON of the schema", measured=text[:60])


def _parts(seen: Shaped) -> Iterator[Part]:
    for one in seen.answers:
        yield _part(one)


def judge(seen: Shaped, inventory: Inventory) -> Finding:
    """All of them: a grammar that lets one through is no grammar."""
    parts = tuple(_parts(seen))
    known = [part for part in parts if part.outcome is not Outcome.UNKNOWN]
    obeyed = sum(part.outcome is Outcome.PASS for part in known)
    made = finding(
        parts,
        good=f"{obeyed} of {len(parts)} schemas are obeyed",
        expected="every answer fits its schema",
        source=f"{OPENAI}: response_format json_schema with strict fits always",
        threshold=f"{len(parts)} of {len(parts)}",
        value=round(obeyed / len(known), 3) if known else None,
        unit="of the answers",
        limit=1.0,
        samples=len(known),
    )
    return replace(made, interval=wilson(obeyed, len(known)) if known else None)


ASSUMPTION = Assumption(
    id="json-schema",
    guide="K2 Thinking guide §9",
    states="An answer asked for in a JSON schema fits that schema.",
    stages=(Stage.STAGING, Stage.LIVE),
    severity=Severity.ADVISORY,
    remedy="Check that the engine was started with its structured outputs (vLLM: on by default, with the reasoning "
    "parser, so that thinking stays free), and that max_tokens leaves room; validate answers in the application.",
    version=1,
    observe=observe,
    judge=judge,
)
