"""thinking-budget: obeyed to the token with an answer behind it; a model that hardly thinks shows nothing."""

from dataclasses import replace
from typing import Any

import pytest

from assumptions._core import Outcome
from assumptions.thinking_budget import LARGE, MAX_TOKENS, SMALL, Budgets, Trial, judge
from tasks.facts.engine_probe import Probed
from tests.recorded import recordings

INVENTORY = recordings.rehearsal()
ROOM = 16_384
BUDGETS: dict[str, int | str | None] = {
    "free": None,
    "zero": 0,
    "small": SMALL,
    "large": min(LARGE, ROOM - 1),
    "above-max-tokens": MAX_TOKENS * 8,
    "streamed": SMALL,
    "misplaced": SMALL,
}


def _recorded(stage: str) -> dict[str, Trial]:
    trials = {n: Trial(n, b, 200, recordings.answer(f"budget {n}", stage)) for n, b in BUDGETS.items()}
    wrong = recordings.reply("budget not-a-number", stage)
    trials["not-a-number"] = Trial("not-a-number", "x", wrong.status, None, wrong.message)
    return trials


STAGED = Budgets(_recorded("staging"), recordings.probed("budget"))
LIVE = Budgets(_recorded("live"), None)


def with_trial(name: str, **answer: Any) -> Budgets:
    trial = STAGED.trials[name]
    assert trial.answer is not None
    return replace(STAGED, trials={**STAGED.trials, name: replace(trial, answer=replace(trial.answer, **answer))})


def refused(name: str, status: int = 400) -> Budgets:
    trial = replace(STAGED.trials[name], status=status, answer=None, message="no")
    return replace(STAGED, trials={**STAGED.trials, name: trial})


def outcomes(seen: Budgets) -> dict[str, Outcome]:
    return {part.name: part.outcome for part in judge(seen, INVENTORY).parts}


def test_the_recorded_answers_pass() -> None:
    finding = judge(STAGED, INVENTORY)
    assert finding.outcome is Outcome.PASS
    assert finding.because == "budgets of 0, 16 and 16383 tokens are obeyed, streamed too"
    assert finding.measured.startswith("free 96, zero 0, small 16, large 96, above-max-tokens 59")
    assert (finding.value, finding.unit) == (16.0, "thinking tokens")
    assert set(outcomes(STAGED)) == {*STAGED.trials, "without-parser"}
    assert "top level of the body" in finding.notes[0]


def test_live_is_judged_without_the_probe() -> None:
    assert judge(LIVE, INVENTORY).outcome is Outcome.PASS
    assert set(outcomes(LIVE)) == set(LIVE.trials)


ACCEPTED = replace(STAGED, without_parser=Probed(True, "", 0, "0.32.0"))
OTHER = replace(STAGED, without_parser=Probed(False, "ImportError: libnuma.so.1", 0, "0.32.0"))
FAULTS: dict[str, tuple[str, Budgets]] = {
    "a token too many": ("small", with_trial("small", thinking_tokens=SMALL + 1)),
    "no thinking at all": ("small", with_trial("small", thinking_tokens=0)),
    "no answer behind it": ("small", with_trial("small", content="")),
    "refused": ("small", refused("small")),
    "thinks at zero": ("zero", with_trial("zero", thinking_tokens=1)),
    "no answer at zero": ("zero", with_trial("zero", content="")),
    "large one cut short": ("large", with_trial("large", thinking_tokens=SMALL)),
    "large one exceeded": ("large", with_trial("large", thinking_tokens=ROOM)),
    "large one refused": ("large", refused("large")),
    "stream ignores it": ("streamed", with_trial("streamed", thinking_tokens=96)),
    "stream has no answer": ("streamed", with_trial("streamed", content="")),
    "max_tokens is lifted": ("above-max-tokens", with_trial("above-max-tokens", completion_tokens=61)),
    "stops early": ("above-max-tokens", with_trial("above-max-tokens", finish="stop")),
    "above max_tokens refused": ("above-max-tokens", refused("above-max-tokens")),
    "bad value taken": (
        "not-a-number",
        replace(STAGED, trials={**STAGED.trials, "not-a-number": replace(STAGED.trials["free"], name="not-a-number")}),
    ),
    "bad value crashes": ("not-a-number", refused("not-a-number", 500)),
    "misplaced one is obeyed": ("misplaced", with_trial("misplaced", thinking_tokens=SMALL)),
    "taken without a parser": ("without-parser", ACCEPTED),
    "refused without a parser for another reason": ("without-parser", OTHER),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_fails_its_part_and_the_claim(fault: str) -> None:
    part, seen = FAULTS[fault]
    finding = judge(seen, INVENTORY)
    assert (finding.outcome, finding.because.split(": ")[0]) == (Outcome.FAIL, part)
    assert [name for name, outcome in outcomes(seen).items() if outcome is not Outcome.PASS] == [part]
    assert finding.notes == ()


@pytest.mark.parametrize("tokens", [None, 0, SMALL, SMALL * 2])
def test_a_model_that_hardly_thinks_shows_nothing(tokens: int | None) -> None:
    finding = judge(with_trial("free", thinking_tokens=tokens), INVENTORY)
    assert finding.outcome is Outcome.UNKNOWN
    assert outcomes(with_trial("free", thinking_tokens=tokens)) == {"free": Outcome.UNKNOWN}


def test_free_thinking_that_was_refused_shows_nothing() -> None:
    assert judge(refused("free", 500), INVENTORY).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("name", ["zero", "small", "large", "streamed", "misplaced"])
def test_usage_without_thinking_tokens_is_unknown(name: str) -> None:
    seen = with_trial(name, thinking_tokens=None)
    assert outcomes(seen)[name] is Outcome.UNKNOWN
    assert judge(seen, INVENTORY).outcome is Outcome.UNKNOWN


def test_a_failure_outweighs_what_could_not_be_seen() -> None:
    trials = {
        **with_trial("zero", thinking_tokens=None).trials,
        "small": with_trial("small", content="").trials["small"],
    }
    assert judge(replace(STAGED, trials=trials), INVENTORY).outcome is Outcome.FAIL
