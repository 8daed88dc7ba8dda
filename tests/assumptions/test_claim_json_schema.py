"""json-schema: every answer must fit; the claim's own reading of schemas is tried beside it."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions._api_schema import misfit, read, record
from assumptions._core import Outcome
from assumptions.json_schema import SCHEMAS, Answered, Shaped, judge
from tests.assumptions.served_api import NOT_COMPLETIONS, REAL, REHEARSAL, outcomes, said, seen

SEEN: Shaped = seen("json-schema")


def with_text(name: str, text: str, finish: str = "stop") -> Shaped:
    return Shaped(
        tuple(
            replace(one, reply=said(one.reply, finish, content=text)) if one.name == name else one
            for one in SEEN.answers
        )
    )


def with_reply(reply: Any) -> Shaped:
    return Shaped((Answered("flat", SCHEMAS["flat"], reply), *SEEN.answers[1:]))


RECORDED_CASES = {
    "json-schema": {
        "pass": lambda: (SEEN, "rehearsal"),
        "fail": lambda: (with_text("flat", '{"city": "Utrecht", "degr'), "rehearsal"),
        "unknown": lambda: (with_text("flat", '{"city": "Utrecht", "degr', "length"), "rehearsal"),
    }
}


def test_the_real_engine_obeys_every_schema() -> None:
    finding = judge(SEEN, REHEARSAL)
    assert (finding.outcome, finding.value, finding.samples) == (Outcome.PASS, 1.0, len(SCHEMAS))
    assert set(outcomes(finding)) == set(SCHEMAS)
    assert finding.interval is not None and finding.interval[1] == 1.0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("flat", "It is 12 degrees in Utrecht."),
        ("flat", '```json\n{"city": "Utrecht", "degrees": 12}\n```'),
        ("flat", '{"city": "Utrecht", "degrees": 12.5}'),
        ("enum", '{"sky": "green"}'),
        ("nested", '{"place": {"city": ""}, "wind": {"from_": "", "knots": 1}}'),
        ("array", '{"hourly": []}'),
        ("array", '{"hourly": [1, 2, 3, 4]}'),
        ("array of objects", '{"hours": [{"hour": 1, "wet": "no"}]}'),
    ],
)
def test_an_answer_that_does_not_fit_fails(name: str, text: str) -> None:
    finding = judge(with_text(name, text), REAL)
    assert outcomes(finding)[name] is finding.outcome is Outcome.FAIL
    assert finding.value == 0.8


def test_an_answer_that_was_cut_shows_nothing() -> None:
    finding = judge(with_text("enum", '{"sky": "cl', "length"), REAL)
    assert (finding.outcome, finding.value, finding.samples) == (Outcome.UNKNOWN, 1.0, 4)


@pytest.mark.parametrize(("reply", "outcome"), NOT_COMPLETIONS)
def test_what_is_no_completion(reply: Any, outcome: Outcome) -> None:
    assert judge(with_reply(reply), REAL).outcome is outcome


@pytest.mark.parametrize(
    ("value", "schema", "wrong"),
    [
        ({"a": 1}, record(a={"type": "integer"}), ""),
        ({"a": True}, record(a={"type": "integer"}), "it.a is true, not of type integer"),
        ({"a": 1, "b": 2}, record(a={"type": "integer"}), "it has b too"),
        ({}, record(a={"type": "integer"}), "it lacks a"),
        ([1, "x"], {"type": "array", "items": {"type": "integer"}}, 'it[1] is "x", not of type integer'),
        (1.5, {"type": "number"}, ""),
        (None, {"type": "null"}, ""),
        ("x", {"enum": ["y"]}, "it is \"x\", none of ['y']"),
    ],
)
def test_fitting_a_schema(value: Any, schema: dict[str, Any], wrong: str) -> None:
    assert misfit(value, schema) == wrong
    assert read("{", schema)[1].startswith("not JSON")
