"""usage-counts: to the token, as the server's own tokenizer and the listed tokens say."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.usage_counts import Counts, judge
from tests.assumptions.served_api import NOT_COMPLETIONS, REAL, REHEARSAL, outcomes, seen, used

SEEN: Counts = seen("usage-counts")
NO_TOKENIZER = replace(SEEN, tokenized=replace(SEEN.tokenized, status=404, body={"detail": "Not Found"}))
RECORDED_CASES = {
    "usage-counts": {
        "pass": lambda: (SEEN, "rehearsal"),
        "fail": lambda: (whole(prompt_tokens=1, total_tokens=21), "rehearsal"),
        "unknown": lambda: (NO_TOKENIZER, "rehearsal"),
    }
}


def whole(**usage: Any) -> Counts:
    return replace(SEEN, whole=used(SEEN.whole, **usage))


def streamed(**usage: Any) -> Counts:
    assert SEEN.streamed.usage is not None
    return replace(SEEN, streamed=replace(SEEN.streamed, usage=SEEN.streamed.usage | usage))


def test_the_real_engine_counts_right() -> None:
    finding = judge(SEEN, REHEARSAL)
    assert (finding.outcome, finding.value) == (Outcome.PASS, 20.0)
    assert finding.because == "68 + 20 tokens, as counted, streamed too"


@pytest.mark.parametrize(
    ("part", "counts", "outcome"),
    [
        ("prompt", whole(prompt_tokens=67, total_tokens=87), Outcome.FAIL),
        ("prompt", whole(prompt_tokens=None), Outcome.FAIL),
        ("prompt", NO_TOKENIZER, Outcome.UNKNOWN),
        ("completion", whole(completion_tokens=21, total_tokens=89), Outcome.FAIL),
        ("completion", whole(completion_tokens=0, total_tokens=68), Outcome.FAIL),
        ("total", whole(total_tokens=68), Outcome.FAIL),
        ("thinking", whole(completion_tokens_details={"reasoning_tokens": 21}), Outcome.FAIL),
        ("thinking", whole(completion_tokens_details=None), Outcome.UNKNOWN),
        ("streamed", replace(SEEN, streamed=replace(SEEN.streamed, usage=None, usages=0)), Outcome.FAIL),
        ("streamed", replace(SEEN, streamed=replace(SEEN.streamed, bad="{")), Outcome.FAIL),
        ("streamed prompt", streamed(prompt_tokens=1), Outcome.FAIL),
        ("streamed completion", streamed(completion_tokens=1), Outcome.FAIL),
        ("streamed completion", replace(SEEN, streamed=replace(SEEN.streamed, logprobs=0)), Outcome.UNKNOWN),
        ("not asked", replace(SEEN, plain=replace(SEEN.plain, usages=1)), Outcome.FAIL),
        ("not asked", replace(SEEN, plain=replace(SEEN.plain, status=502, said="502: x")), Outcome.UNKNOWN),
    ],
)
def test_each_part_decides(part: str, counts: Counts, outcome: Outcome) -> None:
    finding = judge(counts, REAL)
    assert outcomes(finding)[part] is outcome
    assert finding.outcome is outcome


@pytest.mark.parametrize(("reply", "outcome"), NOT_COMPLETIONS)
def test_what_is_no_completion(reply: Any, outcome: Outcome) -> None:
    assert judge(replace(SEEN, whole=reply), REAL).outcome is outcome
