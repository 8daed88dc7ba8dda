"""logprobs: one a token, none above 0, as many alternatives as asked for, sums of at most 1, greedy."""

import copy
import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.logprobs import Logprobs, judge
from tests.assumptions.served_api import NOT_COMPLETIONS, REAL, REHEARSAL, outcomes, seen, used

SEEN: Logprobs = seen("logprobs")


def changed(change: Callable[[list[dict[str, Any]]], object], *, plain: bool = False) -> Logprobs:
    body = copy.deepcopy(SEEN.asked.body)
    change(body["choices"][0]["logprobs"]["content"])
    reply = replace(SEEN.asked, body=body, text=json.dumps(body))
    return replace(SEEN, plain=reply) if plain else replace(SEEN, asked=reply)


def each_top(value: float) -> Callable[[list[dict[str, Any]]], None]:
    def change(tokens: list[dict[str, Any]]) -> None:
        for top in tokens[3]["top_logprobs"]:
            top["logprob"] = value

    return change


DROPPED = changed(lambda tokens: tokens.clear())
RECORDED_CASES = {
    "logprobs": {
        "pass": lambda: (SEEN, "rehearsal"),
        "fail": lambda: (DROPPED, "rehearsal"),
        "unknown": lambda: (replace(SEEN, asked=used(SEEN.asked, completion_tokens=None)), "rehearsal"),
    }
}


def test_the_real_engine_lists_them() -> None:
    finding = judge(SEEN, REHEARSAL)
    assert (finding.outcome, finding.value) == (Outcome.PASS, 16.0)


@pytest.mark.parametrize(
    ("part", "logprobs"),
    [
        ("present", DROPPED),
        ("present", changed(lambda tokens: tokens.pop())),
        ("sensible", changed(lambda tokens: tokens[0].update(logprob=0.5))),
        ("sensible", changed(lambda tokens: tokens[0].update(logprob="-inf"))),
        ("sensible", changed(lambda tokens: tokens[0].update(logprob=math.inf))),
        ("top", changed(lambda tokens: tokens[2]["top_logprobs"].clear())),
        ("top", changed(lambda tokens: tokens[2]["top_logprobs"].pop())),
        ("sum", changed(each_top(math.log(0.3)))),
        ("sum", changed(lambda tokens: tokens[1]["top_logprobs"][0].update(logprob=None))),
        ("greedy", changed(lambda tokens: tokens[1].update(logprob=-2.0))),
        ("not asked", changed(lambda tokens: None, plain=True)),
    ],
)
def test_one_fault_fails_its_part_and_the_claim(part: str, logprobs: Logprobs) -> None:
    finding = judge(logprobs, REAL)
    assert outcomes(finding)[part] is finding.outcome is Outcome.FAIL


def test_the_chosen_token_may_come_on_top_of_those_asked_for() -> None:
    def more(tokens: list[dict[str, Any]]) -> None:
        for token in tokens:
            token["top_logprobs"].append({"token": "x", "logprob": -60.0, "bytes": []})

    assert judge(changed(more), REAL).outcome is Outcome.PASS


def test_a_sum_of_one_is_allowed() -> None:
    assert outcomes(judge(changed(each_top(math.log(0.2))), REAL))["sum"] is Outcome.PASS


def test_without_a_count_of_tokens_nobody_knows() -> None:
    assert judge(replace(SEEN, asked=used(SEEN.asked, completion_tokens=None)), REAL).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("reply", "outcome"), NOT_COMPLETIONS)
def test_what_is_no_completion(reply: Any, outcome: Outcome) -> None:
    assert judge(replace(SEEN, asked=reply), REAL).outcome is outcome
