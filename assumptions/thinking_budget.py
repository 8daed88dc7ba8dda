"""Claim: the thinking budget is exposed by the API and obeyed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from assumptions._core import Assumption, Finding, Outcome, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._served import ABSENT, served
from inventories.schema import Inventory
from serving.client import Answer, Client, Refused
from tasks.engine_python import engine_python
from tasks.facts.base import look
from tasks.facts.engine_probe import EngineProbe, Probed
from tasks.site import Site

PROMPT = "Think about it, then answer in one sentence."
SMALL, LARGE, MAX_TOKENS = 16, 100_000, 60  # tokens; LARGE is cut to what the context leaves
NAME = "thinking_token_budget"  # a field of the request's body since vLLM 0.19.0 (PR #20859)


@dataclass(frozen=True, slots=True)
class Trial:
    """One request: the budget sent, what came back.  `status` is 200 or the refusal's."""

    name: str
    budget: int | str | None
    status: int
    answer: Answer | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Budgets:
    """Every trial by name, and at STAGING what the engine says when no reasoning parser is set."""

    trials: dict[str, Trial]
    without_parser: Probed | None


def _trial(
    client: Client, name: str, max_tokens: int, *, budget: int | str | None = None, stream: bool = False
) -> Trial:
    extra: dict[str, Any] = {} if budget is None else {NAME: budget}
    if name == "misplaced":
        extra = {"chat_template_kwargs": extra}
    ask = client.stream if stream else client.chat
    client.expecting(400 if name == "not-a-number" else 200, f"budget {name}")
    try:
        return Trial(name, budget, 200, ask(PROMPT, max_tokens=max_tokens, temperature=0, **extra))
    except Refused as refusal:
        if refusal.status in ABSENT:
            raise
        return Trial(name, budget, refusal.status, None, refusal.message)


def observe(site: Site, stage: Stage) -> Budgets:
    """Eight requests to the server; at STAGING one question to the engine's own code beside them."""
    host, inventory = site.head, site.inventory
    room = inventory.serving.context_tokens // 2
    probe = EngineProbe(
        python=engine_python(inventory, host),
        verb="budget",
        model_dir=inventory.model_dir(inventory.model.catalog, str(inventory.model.revision), host),
    )
    with ThreadPoolExecutor(1) as pool, served(site, stage) as at:
        # Without a parser is the engine's code's matter, not the server's: asked once, before anything is live.
        asked = None
        if stage is Stage.STAGING:
            asked = pool.submit(copy_context().run, look, site.host(host.name), probe, timeout=300)
        trials = [
            _trial(at.client, "free", room),
            _trial(at.client, "zero", room, budget=0),
            _trial(at.client, "small", room, budget=SMALL),
            _trial(at.client, "large", room, budget=min(LARGE, room - 1)),
            _trial(at.client, "above-max-tokens", MAX_TOKENS, budget=MAX_TOKENS * 8),
            _trial(at.client, "streamed", room, budget=SMALL, stream=True),
            _trial(at.client, "misplaced", room, budget=SMALL),
            _trial(at.client, "not-a-number", room, budget="x"),
        ]
        return Budgets({trial.name: trial for trial in trials}, asked.result() if asked else None)


def _spent(trial: Trial) -> int | None:
    return trial.answer.thinking_tokens if trial.answer else None


def _bounded(trial: Trial, budget: int, least: int) -> Part:
    """Between `least` and `budget` thinking tokens, and an answer behind them."""
    spent, answer = _spent(trial), trial.answer
    if answer is None:
        return check(trial.name, False, f"refused with {trial.status}: {trial.message}", expected=f"<= {budget}")
    if spent is None:
        return check(trial.name, None, "usage does not report thinking tokens", expected=f"<= {budget}")
    said = f"{spent} thinking tokens, then {'an answer' if answer.content else 'NO answer'}"
    return check(
        trial.name,
        least <= spent <= budget and bool(answer.content),
        said,
        expected=f"{least}..{budget}",
        measured=spent,
    )


def _parts(seen: Budgets) -> Iterator[Part]:
    trials = seen.trials
    free = _spent(trials["free"])
    if free is None or free <= SMALL * 2:
        what = (
            "does not report thinking tokens"
            if free is None
            else f"is {free}: too short to see a budget of {SMALL} bite"
        )
        yield check("free", None, f"thinking without a budget {what}", expected=f"> {SMALL * 2}", measured=free)
        return
    yield check("free", True, f"{free} thinking tokens without a budget", expected=f"> {SMALL * 2}", measured=free)
    yield _bounded(trials["zero"], 0, 0)
    yield _bounded(trials["small"], SMALL, 1)
    large = trials["large"].budget
    yield _bounded(trials["large"], int(large or 0), SMALL + 1)
    yield _bounded(trials["streamed"], SMALL, 1)
    above = trials["above-max-tokens"].answer
    done = (above.finish, above.completion_tokens) if above else (None, None)
    said = f"finish {done[0]!r} after {done[1]} tokens: the budget does not lift max_tokens"
    yield check(
        "above-max-tokens", done == ("length", MAX_TOKENS), said, expected=f"length, {MAX_TOKENS}", measured=done
    )
    wrong = trials["not-a-number"]
    yield check(
        "not-a-number",
        wrong.status == 400,
        f"status {wrong.status}: {wrong.message}",
        expected=400,
        measured=wrong.status,
    )
    yield from _traps(seen)


def _traps(seen: Budgets) -> Iterator[Part]:
    """What must be known to use a budget safely: where it is ignored, and where it is refused."""
    misplaced = _spent(seen.trials["misplaced"])
    ignored = None if misplaced is None else misplaced > SMALL
    said = f"{misplaced} thinking tokens: in chat_template_kwargs it is {'ignored' if ignored else 'not ignored'}"
    yield check(
        "misplaced",
        ignored,
        said,
        expected="ignored (vllm#50166)",
        measured=misplaced,
    )
    if (probed := seen.without_parser) is not None:
        refused = not probed.accepted and "reasoning" in probed.message
        yield check("without-parser", refused, probed.message or "accepted", expected="refused", measured=refused)


def judge(seen: Budgets, inventory: Inventory) -> Finding:
    """Every part must hold; a model that hardly thinks by itself leaves it UNKNOWN."""
    parts = tuple(_parts(seen))
    outcome = worst(parts)
    spent = _spent(seen.trials["small"])
    return Finding(
        outcome=outcome,
        because=because(
            parts, f"budgets of 0, {SMALL} and {seen.trials['large'].budget} tokens are obeyed, streamed too"
        ),
        expected=f"thinking tokens <= budget for 0, {SMALL} and large; an answer follows; 400 for a bad value",
        measured=", ".join(f"{t.name} {_spent(t)}" for t in seen.trials.values() if t.answer),
        threshold=f"<= {SMALL} tokens at a budget of {SMALL}",
        threshold_source="vLLM docs reasoning_outputs: the end of thinking is forced at the budget; field since 0.19.0",
        provenance=Provenance.MEASURED_HERE,
        value=float(spent) if spent is not None else None,
        unit="thinking tokens",
        parts=parts,
        notes=()
        if outcome is not Outcome.PASS
        else (f"Send {NAME} at the top level of the body; elsewhere it is ignored without a word.",),
    )


ASSUMPTION = Assumption(
    id="thinking-budget",
    guide="K2 Thinking guide §5.1, §9",
    states="vLLM exposes Kimi K2's thinking budget through the OpenAI API, so effort can be set per request.",
    stages=(Stage.STAGING, Stage.LIVE),
    severity=Severity.BLOCKING,
    remedy="Use vLLM 0.19 or later with --reasoning-parser kimi_k2 and send thinking_token_budget at the top level "
    "of the request; where the engine can't, bound max_tokens and say so to the application's owner.",
    version=1,
    observe=observe,
    judge=judge,
)
