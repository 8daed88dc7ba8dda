"""error-format: the status, OpenAI's object, and never 200 for a bad request."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.error_format import STATUS, Errors, judge, malformed
from serving.client import Reply
from tests.assumptions.served_api import GONE, HTML, REAL, REHEARSAL, WITH_ERROR, outcomes, seen
from tests.recorded import recordings

SEEN: Errors = seen("error-format")
BARE = recordings.reply("no key", "live")  # the engine's own words, as a gateway without words of its own hands them on
LIVE = Errors({**SEEN.replies, "no key": replace(SEEN.replies["bad type"], status=401)})


def with_reply(name: str, reply: Reply) -> Errors:
    return Errors({**LIVE.replies, name: reply})


def error(**fields: Any) -> dict[str, Any]:
    return {"error": {"message": "m", "type": "t", "param": None, "code": None, **fields}}


RECORDED_CASES = {
    "error-format": {
        "pass": lambda: (SEEN, "rehearsal"),
        "fail": lambda: (with_reply("too long", WITH_ERROR), "rehearsal"),
        "unknown": lambda: (with_reply("too long", GONE), "rehearsal"),
    }
}


def test_the_real_engine_says_what_is_wrong() -> None:
    finding = judge(SEEN, REHEARSAL)
    assert (finding.outcome, finding.value) == (Outcome.PASS, 6.0)
    assert set(outcomes(finding)) == set(STATUS) - {"no key"}
    assert "maximum context length is 32768" in SEEN.replies["too long"].message


def test_a_refusal_without_an_object_fails_live() -> None:
    assert judge(LIVE, REAL).outcome is Outcome.PASS
    finding = judge(with_reply("no key", BARE), REAL)
    assert (BARE.status, BARE.body) == (401, {"error": "Unauthorized"})
    assert outcomes(finding)["no key"] is finding.outcome is Outcome.FAIL


@pytest.mark.parametrize("name", STATUS)
@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (WITH_ERROR, Outcome.FAIL),
        (HTML, Outcome.FAIL),
        (replace(HTML, status=400), Outcome.FAIL),
        (replace(HTML, status=500), Outcome.FAIL),
        (GONE, Outcome.UNKNOWN),
        (replace(GONE, status=429), Outcome.UNKNOWN),
    ],
)
def test_one_wrong_answer_decides(name: str, reply: Reply, outcome: Outcome) -> None:
    finding = judge(with_reply(name, reply), REAL)
    assert outcomes(finding)[name] is finding.outcome is outcome


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (error(), ""),
        (None, "the body is no JSON object: 'x'"),
        ({"error": "Unauthorized"}, "`error` is no object: {'error': 'Unauthorized'}"),
        ({"detail": "Not Found"}, "`error` is no object: {'detail': 'Not Found'}"),
        ({"error": {"message": "m", "type": "t"}}, "the error has no param, code"),
        (error(message=" "), "the error has no message"),
        (error(type=None), "the error's type is None"),
    ],
)
def test_the_form(body: Any, wrong: str) -> None:
    assert malformed(Reply(400, body, "x", 0.0, "r1")) == wrong
