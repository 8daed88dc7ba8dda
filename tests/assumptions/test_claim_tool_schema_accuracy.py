"""tool-schema-accuracy: a rate decides by its lower end, and the own set is what its schemas say."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from assumptions._core import Outcome
from assumptions._quality_requests import own_set, vendor_set
from assumptions._quality_tools import fault
from assumptions.tool_schema_accuracy import FLOOR, REHEARSED, ROUNDS, Called, judge
from inventories.errors import BadInput
from inventories.load import load
from inventories.quality import Quality
from tasks.site import Site
from tests.assumptions.tool_turns import CALLED, FORCED, INVALID, LEAKED, REFUSED, SILENT, many, played
from tests.recorded import recordings

INVENTORY = load("h200x8")
GOOD = Called(played(*many(called=96)), None)
BAD = Called(played(*many(called=80, invalid=16)), None)  # 83 %: what vLLM had in the vendor's first table, about

RECORDED_CASES = {
    "tool-schema-accuracy": {
        "pass": lambda: (GOOD, "h200x8"),
        "fail": lambda: (BAD, "h200x8"),
        "unknown": lambda: (Called(played(*many(called=60, talked=36)), None), "h200x8"),
    },
}


@pytest.mark.parametrize(
    ("called", "invalid", "outcome"),
    [
        (96, 0, Outcome.PASS),
        (81, 0, Outcome.PASS),
        (80, 0, Outcome.UNKNOWN),
        (95, 1, Outcome.UNKNOWN),
        (400, 9, Outcome.PASS),
        (80, 16, Outcome.FAIL),
        (0, 0, Outcome.UNKNOWN),
    ],
)
def test_the_lower_end_decides(called: int, invalid: int, outcome: Outcome) -> None:
    finding = judge(Called(played(*many(called=called, invalid=invalid), CALLED), None), INVENTORY)
    assert finding.outcome is (outcome if called else Outcome.UNKNOWN)
    assert finding.limit == FLOOR


def test_the_vendors_set_is_judged_too_and_is_the_figure() -> None:
    seen = Called(GOOD.own, played(*many(called=150, invalid=50), source="samples.jsonl"))
    finding = judge(seen, INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert (finding.value, finding.samples) == (0.75, 200)
    assert finding.because.startswith("samples.jsonl: schema")


@pytest.mark.parametrize(
    ("turn", "part", "outcome"),
    [
        (LEAKED, "understood", Outcome.FAIL),
        (REFUSED, "accepted", Outcome.FAIL),
        (SILENT, "accepted", Outcome.UNKNOWN),
    ],
)
def test_one_answer_that_is_none(turn: object, part: str, outcome: Outcome) -> None:
    finding = judge(Called(played(*GOOD.own.turns, turn), None), INVENTORY)  # type: ignore[arg-type]
    assert finding.outcome is outcome
    assert {p.name.rpartition(": ")[2]: p.outcome for p in finding.parts}[part] is outcome


def test_a_forced_call_finishes_with_stop() -> None:
    rehearsal = recordings.rehearsal()
    told = {
        part.name.rpartition(": ")[2]: part.outcome for part in judge(Called(played(FORCED), None), rehearsal).parts
    }
    assert told["understood"] is told["forced calls"] is Outcome.PASS
    assert judge(Called(played(FORCED), None), rehearsal).outcome is Outcome.UNKNOWN
    assert judge(Called(played(FORCED, INVALID), None), rehearsal).outcome is Outcome.FAIL
    assert judge(Called(played(), None), rehearsal).outcome is Outcome.UNKNOWN


def test_the_own_sets_requests_can_be_sent() -> None:
    asked = own_set()
    assert len({each.id for each in asked.requests}) == len(asked.requests) == 32
    assert sum(bool(each.calls) for each in asked.requests) == 16
    assert 16 * ROUNDS >= 83  # enough for a pass where every request calls
    assert {each.id for each in asked.requests if each.calls} >= set(REHEARSED)
    for each in asked.requests:
        for tool in each.body["tools"]:
            Draft202012Validator.check_schema(tool["function"]["parameters"])
        for message in each.body["messages"]:
            for call in message.get("tool_calls", ()):
                assert call["id"].startswith(f"functions.{call['function']['name']}:")
                assert fault(call, each.body["tools"]) == ""


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("get_weather", '{"city": "Oslo", "days": 2}', ""),
        ("get_weather", '{"city": "Oslo"}', "'days' is a required property"),
        ("get_weather", '{"city": "Oslo", "days": "2"}', "is not of type 'integer'"),
        ("get_weather", '{"city": "Oslo", "days": 99}', "greater than the maximum"),
        ("get_weather", '{"city": "Oslo", "days": 2, "more": 1}', "Additional properties"),
        ("get_weather", '{"city": "Oslo", "da', "are no JSON"),
        ("get_rain", "{}", "there is no tool"),
    ],
)
def test_why_a_call_is_none(name: str, arguments: str, said: str) -> None:
    tools = next(each.body["tools"] for each in own_set().requests if each.id == "weather")
    told = fault({"function": {"name": name, "arguments": arguments}}, tools)
    assert (said in told) if said else told == ""


def request(number: int) -> str:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    body = {"model": "kimi", "messages": [{"role": "_input", "content": f"{number}"}], "tools": [tool], "stream": True}
    return json.dumps(body)


def test_the_published_set_is_read_as_its_verifier_reads_it(tmp_path: Path) -> None:
    samples, results = tmp_path / "samples.jsonl", tmp_path / "results.jsonl"
    samples.write_text("\n".join(request(n) for n in range(1, 11)) + "\n")
    rows = [{"data_index": n, "finish_reason": "tool_calls" if n % 2 else "stop"} for n in range(1, 10)]
    results.write_text("\n".join(map(json.dumps, rows)))
    quality = Quality(vendor_set=str(samples), vendor_results=str(results), vendor_requests=4)
    site = Site(INVENTORY.model_copy(update={"quality": quality}), tmp_path / "run")
    try:
        found = vendor_set(site, results=True)
        assert found is not None and len(found.sha256) == 2 and found.source == "samples.jsonl"
        assert [(each.id, each.calls) for each in found.requests] == [("1", True), ("4", False), ("7", True)]
        assert found.requests[0].body["messages"] == [{"role": "system", "content": "1"}]
        assert set(found.requests[0].body) == {"messages", "tools"}
        assert [each["kind"] for each in site.trail.read()] == ["file", "file"]
        alone = vendor_set(site, results=False)
        assert alone is not None and [each.calls for each in alone.requests] == [None] * 4
        samples.write_text("no json\n")
        with pytest.raises(BadInput, match="line 1"):
            vendor_set(site, results=False)
    finally:
        site.close()
