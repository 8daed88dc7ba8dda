"""What the tests about the served API start from: answers of the real engine as a run recorded them, and changes."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

from assumptions._core import Finding, Outcome
from assumptions._observation import read_back
from assumptions._registry import claim
from inventories.load import load
from serving.client import Reply
from tests.recorded import recordings
from tests.recorded.claims.case import FOLDER, read

REHEARSAL = recordings.rehearsal()
REAL = load("h200x8")  # a model that is not made by hand
GONE = Reply(502, None, "<html>502 Bad Gateway</html>", 0.01, "r1")
BROKEN = Reply(500, {"error": {"message": "boom", "type": "x", "param": None, "code": 500}}, "boom", 0.01, "r1")
HTML = Reply(200, None, "<html>welcome</html>", 0.01, "r1")
WITH_ERROR = Reply(200, {"error": {"message": "out of memory"}}, "{...}", 0.01, "r1")
NOT_COMPLETIONS = ((GONE, Outcome.UNKNOWN), (BROKEN, Outcome.FAIL), (HTML, Outcome.FAIL), (WITH_ERROR, Outcome.FAIL))


def seen(claim_id: str, outcome: str = "pass") -> Any:
    """What the rehearsal's engine gave (tests/recorded/claims), with its types."""
    return read_back(claim(claim_id), read(FOLDER / claim_id / f"{outcome}.json").observation)


def said(reply: Reply, finish: str | None = None, **message: Any) -> Reply:
    """The same answer with other fields of its message, and another end."""
    body = copy.deepcopy(reply.body)
    body["choices"][0]["message"] |= message
    if finish is not None:
        body["choices"][0]["finish_reason"] = finish
    return replace(reply, body=body, text=json.dumps(body))


def used(reply: Reply, **usage: Any) -> Reply:
    """The same answer with other counts."""
    body = copy.deepcopy(reply.body)
    body["usage"] |= usage
    return replace(reply, body=body, text=json.dumps(body))


def call(name: str, arguments: Any, key: str = "functions.get_weather:0") -> dict[str, Any]:
    """A tool call; arguments that are a text stand as they are."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": key, "type": "function", "function": {"name": name, "arguments": text}}


def outcomes(finding: Finding) -> dict[str, Outcome]:
    """Each part's."""
    return {part.name: part.outcome for part in finding.parts}
