"""A stream put together from its lines: thinking, answer, calls, usage, and what a client would fall over."""

import json
from dataclasses import replace
from typing import Any

import pytest

from assumptions._api_stream import DONE, together, unstreamed
from assumptions._core import Outcome
from serving.client import Event, Events, Reply
from tests.recorded import recordings


def lines(*data: str) -> Events:
    return Events(200, tuple(Event(float(n), text) for n, text in enumerate(data)), 9.0, "r1")


def test_the_recorded_stream_put_together() -> None:
    data = [line.removeprefix("data: ") for line in recordings.text("stream.sse").splitlines() if line]
    seen = together(lines(*data))
    assert seen.content == " I am a rehearsal checkpoint and know one sentence."
    assert (seen.thinking, seen.fields) == (" step1 step2 step3 step4", ("reasoning",))
    assert (seen.finishes, seen.done, seen.bad, seen.usages) == (("stop",), True, "", 1)
    assert unstreamed("stream", seen) is None


def delta(**fields: Any) -> str:
    return json.dumps({"choices": [{"delta": fields, "finish_reason": None}]})


def test_pieces_of_tool_calls() -> None:
    def piece(index: int, **function: str) -> str:
        return delta(
            tool_calls=[{"index": index, "function": function, **({"id": f"id{index}"} if "name" in function else {})}]
        )

    seen = together(
        lines(
            piece(0, name="a", arguments=""), piece(1, name="b"), piece(0, arguments='{"x"'), piece(0, arguments=": 1}")
        )
    )
    assert seen.calls == (
        {"id": "id0", "function": {"name": "a", "arguments": '{"x": 1}'}},
        {"id": "id1", "function": {"name": "b", "arguments": ""}},
    )


@pytest.mark.parametrize("line", ["not json", '"text"', '{"error": {"message": "boom"}}', "{}", '{"choices": 3}', ""])
def test_a_line_that_is_no_chunk_stands_apart(line: str) -> None:
    seen = together(lines(delta(content="a"), line, delta(content="b"), DONE))
    assert seen.bad and seen.content == "ab" and seen.done
    part = unstreamed("stream", seen)
    assert part is not None and part.outcome is Outcome.FAIL


def test_old_and_new_names_of_thinking_are_counted_once() -> None:
    seen = together(lines(delta(reasoning="a", reasoning_content="a"), delta(reasoning_content="b")))
    assert (seen.thinking, seen.fields) == ("ab", ("reasoning", "reasoning_content"))
    assert not seen.done and together(lines()).done is False


def test_what_is_no_stream() -> None:
    error = {"error": {"message": "no", "type": "t", "param": None, "code": 404}}
    refused = Events(404, (), 0.1, "r1", Reply(404, error, "", 0.1, "r1"))
    part = unstreamed("stream", together(refused))
    assert part is not None and (part.outcome, part.because) == (Outcome.FAIL, "status 404: no")
    gone = unstreamed("stream", together(Events(502, (), 0.1, "r1", Reply(502, None, "<html>", 0.1, "r1"))))
    assert gone is not None and gone.outcome is Outcome.UNKNOWN
    empty = unstreamed("stream", together(lines()))
    assert empty is not None and empty.outcome is Outcome.FAIL


def test_half_a_stream_shows_nothing_but_to_who_judges_that() -> None:
    half = replace(together(lines(delta(content="one"))), broke="no line for 60 s")
    part = unstreamed("streamed", half)
    assert part is not None and part.outcome is Outcome.UNKNOWN and "broke off after 1 lines" in part.because
    assert unstreamed("stream", half, half=True) is None
