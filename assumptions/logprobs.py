"""Claim: log probabilities are there for every token, and are such."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assumptions._api import OPENAI, ask, choice, request, unusable, usage
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

TOP, TOKENS = 5, 16
ROUNDING = 1e-3  # what a sum of float32 exponentials may be off
CERTAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Logprobs:
    """The same question with the five most probable tokens, and without log probabilities."""

    top: int
    asked: Reply
    plain: Reply


def observe(site: Site, stage: Stage) -> Logprobs:
    """Two short answers without a thinking budget: the token that it forces is not the most probable one."""
    body = request(site.inventory, thinking_token_budget=None, max_tokens=TOKENS)
    with served(site, stage) as at:
        asked = ask(at.client, "logprobs", {**body, "logprobs": True, "top_logprobs": TOP})
        return Logprobs(TOP, asked, ask(at.client, "no logprobs", body))


def _tokens(reply: Reply) -> list[dict[str, Any]]:
    found = choice(reply).get("logprobs")
    tokens = found.get("content") if isinstance(found, dict) else None
    return [each for each in tokens if isinstance(each, dict)] if isinstance(tokens, list) else []


def _chances(token: dict[str, Any]) -> list[float | None]:
    """The log probabilities of the most probable tokens, as listed; None for what is no number."""
    top = token.get("top_logprobs")
    return [_number(each.get("logprob")) for each in top if isinstance(each, dict)] if isinstance(top, list) else []


def _number(value: Any) -> float | None:
    real = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if real else None


def _parts(seen: Logprobs) -> Iterator[Part]:
    if (part := unusable("present", seen.asked)) is not None:
        yield part
        return
    tokens, counted = _tokens(seen.asked), usage(seen.asked, "completion_tokens")
    said = f"{len(tokens)} for {counted} tokens"
    whole = False if not tokens else None if counted is None else len(tokens) == counted
    yield check("present", whole, said, expected="one for each token", measured=len(tokens))
    if not tokens:
        return
    own = [_number(token.get("logprob")) for token in tokens]
    bad = [value for value in own if value is None or value > CERTAIN]
    least = min((value for value in own if value is not None), default=0.0)
    yield check("sensible", not bad, f"not {bad[0]}" if bad else f"{least:.3g} at least", expected="<= 0")
    yield from _top(seen.top, tokens)
    if (part := unusable("not asked", seen.plain)) is None:
        none = not _tokens(seen.plain)
        yield check("not asked", none, "none" if none else "there, though nobody asked", expected="none")


def _top(wanted: int, tokens: list[dict[str, Any]]) -> Iterator[Part]:
    """As many as asked for (the chosen one may come on top), most probable first, and together at most 1."""
    counts = sorted({len(_chances(token)) for token in tokens})
    right = all(count in (wanted, wanted + 1) for count in counts)
    yield check(
        "top", right, f"{' or '.join(map(str, counts))} of {wanted} asked for", expected=wanted, measured=counts
    )
    listed = [[value for value in _chances(token) if value is not None] for token in tokens]
    if [len(chances) for chances in listed] != [len(_chances(token)) for token in tokens] or not all(listed):
        yield check("sum", False, "a log probability is no number", expected="<= 1")
        return
    most = max(sum(math.exp(value) for value in chances) for chances in listed)
    yield check("sum", most <= 1 + ROUNDING, f"up to {most:.6f}", expected="<= 1", measured=f"{most:.6f}")
    greedy = [(_number(token.get("logprob")), max(chances)) for token, chances in zip(tokens, listed, strict=True)]
    off = [pair for pair in greedy if pair[0] is None or abs(pair[0] - pair[1]) > ROUNDING]
    told = f"{off[0][0]} chosen, {off[0][1]} the most probable" if off else "the most probable token each time"
    yield check("greedy", not off, told, expected="the most probable at temperature 0", measured=len(off))


def judge(seen: Logprobs, inventory: Inventory) -> Finding:
    """One for each token, none above 0; alternatives as asked for, together at most 1; greedy at temperature 0."""
    tokens = len(_tokens(seen.asked))
    return finding(
        _parts(seen),
        good=f"{tokens} tokens with log probabilities and their {seen.top} most probable",
        expected=f"a log probability for each token, {seen.top} alternatives, sums of at most 1",
        source=f"{OPENAI}: logprobs, top_logprobs; a probability is at most 1 ({ROUNDING} of rounding)",
        value=float(tokens),
        unit="tokens",
    )


ASSUMPTION = Assumption(
    id="logprobs",
    guide="K2 Thinking guide §9",
    states="Log probabilities can be had for every token of an answer.",
    stages=(Stage.STAGING, Stage.LIVE),
    severity=Severity.ADVISORY,
    remedy="Keep --max-logprobs at 20 or more and look at the raw record; without them neither quantisation nor a "
    "replica can be compared with a reference.",
    version=1,
    observe=observe,
    judge=judge,
)
