"""model-quality: result files as lm-eval and Inspect write them, and scores against the vendor's by interval.

tests/recorded/suites/ was written by lm-eval 0.4.13 and Inspect 0.3.285 on 2026-11-23, from three questions each to the
rehearsal's engine; samples, paths and the machine's description were taken out.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assumptions._core import Outcome
from assumptions._quality import Beside
from assumptions._quality_scores import score
from assumptions._quality_suites import Result, results
from assumptions.model_quality import DAYS, Suites, judge
from inventories.errors import BadInput
from inventories.load import load
from tests.recorded import recordings

INVENTORY = load("h200x8")
FOLDER = Path(__file__).parents[1] / "recorded" / "suites"
READ_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
GPQA = Result(
    suite="Inspect 0.3.285",
    task="gpqa_diamond",
    metric="choice accuracy",
    share=0.848,
    answers=1584,  # 198 questions, 8 times
    whole=True,
    model="kimi-k2-thinking",
    address="",
    taken_at=READ_AT - timedelta(days=2),
    path="/srv/logs/gpqa.json",
    sha256="ab" * 32,
)
GSM8K = replace(
    GPQA, suite="lm-eval 0.4.13", task="gsm8k", metric="exact_match,flexible-extract", share=0.94, answers=1319
)


def suites(*found: Result) -> Suites:
    return Suites(READ_AT, found)


RECORDED_CASES = {
    "model-quality": {
        "pass": lambda: (suites(GPQA, GSM8K), "h200x8"),
        "fail": lambda: (suites(replace(GPQA, share=0.75), GSM8K), "h200x8"),
        "unknown": lambda: (suites(GSM8K), "h200x8"),
    },
}

CASES: dict[str, tuple[Suites, Outcome]] = {
    "as the vendor says": (suites(GPQA), Outcome.PASS),
    "three points below, nearly": (suites(replace(GPQA, share=0.835)), Outcome.PASS),
    "around three points below": (suites(replace(GPQA, share=0.82)), Outcome.UNKNOWN),
    "far below": (suites(replace(GPQA, share=0.75)), Outcome.FAIL),
    "few answers": (suites(replace(GPQA, answers=198)), Outcome.UNKNOWN),
    "one of two fails": (suites(GPQA, replace(GSM8K, share=0.6)), Outcome.FAIL),
    "none declared": (suites(), Outcome.UNKNOWN),
    "none of the guide's": (suites(GSM8K), Outcome.UNKNOWN),
    "nothing that the vendor scored": (suites(replace(GPQA, task="hellaswag")), Outcome.UNKNOWN),
    "another model": (suites(replace(GPQA, model="kimi-k2.5")), Outcome.UNKNOWN),
    "another model, far below": (suites(replace(GPQA, model="kimi-k2.5", share=0.1)), Outcome.UNKNOWN),
    "a part of the questions": (suites(replace(GPQA, whole=False)), Outcome.UNKNOWN),
    "too old": (suites(replace(GPQA, taken_at=READ_AT - timedelta(days=DAYS, seconds=1))), Outcome.UNKNOWN),
    "from tomorrow": (suites(replace(GPQA, taken_at=READ_AT + timedelta(days=1))), Outcome.UNKNOWN),
    "no rate": (suites(replace(GPQA, share=84.8)), Outcome.UNKNOWN),
}


@pytest.mark.parametrize("case", CASES)
def test_the_far_end_decides(case: str) -> None:
    seen, outcome = CASES[case]
    assert judge(seen, INVENTORY).outcome is outcome


def test_the_figure_is_in_percent() -> None:
    finding = judge(suites(GPQA), INVENTORY)
    assert (finding.value, finding.limit, finding.samples) == (84.8, 81.5, 1584)
    assert finding.interval and finding.interval[0] < 84.8 < finding.interval[1]
    assert any("LiveCodeBench" in note for note in finding.notes)


def test_without_a_result_the_reason_is_a_command() -> None:
    assert "inspect eval" in judge(suites(), INVENTORY).because


def test_a_rehearsal_never_passes() -> None:
    assert judge(suites(GPQA), recordings.rehearsal()).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("gpqa_diamond", "GPQA Diamond, no tools"),
        ("inspect_evals/gpqa_diamond", "GPQA Diamond, no tools"),
        ("gpqa_diamond_cot_n_shot", "GPQA Diamond, no tools"),
        ("inspect_evals/browse-comp", "BrowseComp, with tools"),
        ("gsm8k", "GSM8K"),
        ("hle", "HLE text-only, with tools"),
        ("hlexyz", None),
        ("gpqa_main", None),
    ],
)
def test_a_suites_name_for_a_benchmark(task: str, name: str | None) -> None:
    found = score("kimi-k2-thinking", task)
    assert (found.name if found else None) == name
    assert score("tiny-k2", task) is None


def beside(name: str, **changes: object) -> Beside:
    body = {**json.loads((FOLDER / name).read_bytes()), **changes}
    return Beside(f"/srv/{name}", "ab" * 32, json.dumps(body).encode())


def test_what_lm_eval_writes() -> None:
    (found,) = results(beside("lm-eval-0.4.13.json"))
    assert (found.task, found.metric, found.share) == ("gsm8k", "exact_match,strict-match", 0.0)
    assert (found.answers, found.whole, found.model, found.suite) == (3, True, "tiny-k2", "lm-eval 0.4.13")
    assert found.address == "http://127.0.0.1:22101/v1/completions"
    assert found.taken_at.date().isoformat() == "2026-11-23"
    part = {"gsm8k": {"original": 1319, "effective": 100}}
    assert not results(beside("lm-eval-0.4.13.json", **{"n-samples": part}))[0].whole


def test_what_inspect_writes() -> None:
    (found,) = results(beside("inspect-0.3.285.json"))
    assert (found.task, found.metric, found.answers) == ("gpqa_diamond", "includes accuracy", 6)
    assert found.share == pytest.approx(1 / 3)
    assert (found.whole, found.model, found.suite) == (True, "tiny-k2", "Inspect 0.3.285")
    assert not results(beside("inspect-0.3.285.json", status="error"))[0].whole


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"results": {}}', b"PK\x03\x04", b'{"eval": {}, "results": null}']
)
def test_what_is_no_result_file(content: bytes) -> None:
    with pytest.raises(BadInput, match="no scores"):
        results(Beside("/srv/x", "ab" * 32, content))
