"""health-body: vLLM's empty 200 is not what the guide expects; only that very body passes."""

import pytest

from assumptions._core import Outcome
from assumptions.health_body import Health, judge
from serving.client import Reply
from tests.recorded import recordings

INVENTORY = recordings.rehearsal()


def health(status: int, body: str) -> Health:
    return Health(True, Reply(status, None, body, 0.01, "r1"))


@pytest.mark.parametrize("stage", ["staging", "live"])
def test_the_recorded_engine_answers_200_with_an_empty_body(stage: str) -> None:
    finding = judge(Health(stage == "live", recordings.reply("health", stage)), INVENTORY)
    assert finding.outcome is Outcome.FAIL
    assert {part.name: part.outcome for part in finding.parts} == {"status": Outcome.PASS, "body": Outcome.FAIL}
    assert finding.because.startswith("body: the body is empty; a probe that reads it")


@pytest.mark.parametrize("body", ['{"status": "ok"}', '{ "status":"ok" }\n'])
def test_the_guides_body_passes_whatever_its_spaces(body: str) -> None:
    assert judge(health(200, body), INVENTORY).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, "ok"), (200, '{"status": "OK"}'), (200, '{"status": "ok", "model": "x"}'), (503, '{"status": "ok"}')],
)
def test_any_other_answer_fails(status: int, body: str) -> None:
    finding = judge(health(status, body), INVENTORY)
    assert finding.outcome is (Outcome.UNKNOWN if status == 503 else Outcome.FAIL)


@pytest.mark.parametrize("status", [401, 404, 500])
def test_another_status_fails(status: int) -> None:
    assert judge(health(status, '{"status": "ok"}'), INVENTORY).outcome is Outcome.FAIL


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_with_nothing_behind_it_is_unknown(status: int) -> None:
    assert judge(health(status, ""), INVENTORY).outcome is Outcome.UNKNOWN
