"""Claim: a text has 1.3 times as many tokens as words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._api import TINY, counted, rehearsed
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from assumptions._texts import TEXTS
from inventories.schema import Inventory
from serving.client import Client
from tasks.site import Site

FACTOR = 1.3  # guide §5.1, estimate_tokens
TOLERANCE = 0.25
SOURCE = (
    "K2 Thinking guide §5.1, estimate_tokens: words x 1.3; tolerance assumed: 25 %, far above what separates 1.3 from "
    "OpenAI's rule for English (100 tokens for 75 words), and what a window filled to four fifths can bear"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """One text: its kind, its words as Python splits them, its tokens (None where the server did not say)."""

    kind: str
    words: int
    tokens: int | None


@dataclass(frozen=True, slots=True)
class Texts:
    """Every text of the product's own collection, counted by the served tokenizer."""

    counted: tuple[Counted, ...]


def observe(site: Site, stage: Stage) -> Texts:
    """Each text to the served tokenizer."""
    with served(site, stage) as at:
        return Texts(tuple(Counted(kind, len(text.split()), _tokens(at.client, text)) for kind, text in TEXTS.items()))


def _tokens(client: Client, text: str) -> int | None:
    body = {"model": client.model, "prompt": text, "add_special_tokens": False}
    reply = client.expecting(200, "tokens of a text").call("POST", "/tokenize", json_body=body, key=True)
    return counted(reply.body, "count") if reply.status == 200 else None


def _part(one: Counted, inventory: Inventory) -> Part:
    estimate = one.words * FACTOR
    wanted = f"{estimate * (1 - TOLERANCE):.0f} to {estimate * (1 + TOLERANCE):.0f} tokens"
    if one.tokens is None:
        return check(one.kind, None, "the server does not count tokens", expected=wanted)
    per_word = one.tokens / one.words
    said = f"{one.tokens} tokens of {one.words} words: {per_word:.2f} a word"
    near = abs(one.tokens - estimate) <= estimate * TOLERANCE
    if rehearsed(inventory):
        return check(one.kind, None, f"{said}; {TINY}", expected=wanted, measured=f"{per_word:.2f}")
    return check(one.kind, near, said, expected=wanted, measured=f"{per_word:.2f}")


def _parts(seen: Texts, inventory: Inventory) -> Iterator[Part]:
    for one in seen.counted:
        yield _part(one, inventory)


def judge(seen: Texts, inventory: Inventory) -> Finding:
    """Within the tolerance for every kind of text; another model's tokenizer says nothing."""
    per_word = [one.tokens / one.words for one in seen.counted if one.tokens]
    furthest = max(per_word, key=lambda each: abs(each - FACTOR), default=None)
    return finding(
        _parts(seen, inventory),
        good=f"every kind of text has {FACTOR} tokens a word within {TOLERANCE:.0%}",
        expected=f"{FACTOR} tokens a word, within {TOLERANCE:.0%}",
        source=SOURCE,
        value=None if furthest is None else round(furthest, 2),
        unit="tokens a word, the furthest",
    )


ASSUMPTION = Assumption(
    id="words-times-1-3",
    guide="K2 Thinking guide §5.1",
    states="A text has 1.3 times as many tokens as words.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Count with the served tokenizer (POST /tokenize at the engine's own port) where a limit or money depends "
    "on it; words say nothing of Chinese, code or numbers.",
    version=1,
    observe=observe,
    judge=judge,
)
