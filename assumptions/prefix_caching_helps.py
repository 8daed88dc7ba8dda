"""Claim: a prompt that was just seen is answered sooner, from the prefix cache."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from assumptions._core import Assumption, Finding, Outcome, Part, Provenance, Sense, Severity, Stage
from assumptions._parts import check
from assumptions._served import engine_log, served
from assumptions._speed import finding
from assumptions._window import Window, watched
from assumptions.formulas.intervals import at_most, median_interval
from inventories.schema import Inventory
from serving.client import Client, Reply
from tasks.site import Site

LONGEST = 16_384  # tokens of a prompt: long enough that prefill outweighs the request itself, seconds on a CPU
PAIRS = 9  # fresh prompts, each asked twice; of fewer, one that was held up spoils the interval at 95 %
CACHED_SHARE = 0.9  # of the second prompt; a block's rest and the last token are always computed anew
RATIO = 0.5  # second time to first token by the first one
RATIO_SOURCE = "assumed: half; vLLM 0.32 on two cores needed 0.03 of it at 8,192 tokens (tests/e2e), 1.10 without cache"
OFF = re.compile(r"[^\n]*(?:prefix caching to be disabled|enable_prefix_caching=False)[^\n]*")


@dataclass(frozen=True, slots=True)
class Pair:
    """One prompt that nobody asked before, and the very same again; one token each, so seconds are to the first."""

    first: Reply
    again: Reply


@dataclass(frozen=True, slots=True)
class Repeats:
    """The pairs, or the log's own words where the engine switched its cache off."""

    length: int
    pairs: tuple[Pair, ...]
    off: str = ""
    window: Window | None = None


def observe(site: Site, stage: Stage) -> Repeats:
    """Fresh prompts, each twice in a row; none where the engine says that it keeps no prefix cache."""
    length = min(LONGEST, site.inventory.serving.context_tokens // 2)
    log = engine_log(site, stage)
    if log.prefix_caching is False:
        line = OFF.search(log.text)
        return Repeats(length, (), line[0].strip()[:300] if line else "switched off")
    with served(site, stage) as at:
        words = _words(at.client)
        with watched(site, at.slot, live=at.live) as watch:
            pairs = tuple(pair(at.client, words, length) for _ in range(PAIRS))
    return Repeats(length, pairs, window=watch.window(2 * PAIRS, _spent(pairs)))


def pair(client: Client, words: list[int], length: int) -> Pair:
    """A prompt of `words` in an order that no earlier request had, and the very same again."""
    prompt = random.Random(secrets.randbits(64)).choices(words, k=length)  # noqa: S311  (a prompt, not a secret)
    first, again = (_ask(client, prompt, purpose) for purpose in ("a fresh prompt", "the same prompt again"))
    return Pair(first, again)


def _words(client: Client) -> list[int]:
    """Words of the model's own vocabulary."""
    text = {"model": client.model, "prompt": "zero one two three four five six seven eight nine ten"}
    words = client.expecting(200, "tokens for a fresh prompt").call("POST", "/tokenize", json_body=text, key=True)
    return [int(token) for token in words.body["tokens"]]


def _ask(client: Client, prompt: list[int], purpose: str) -> Reply:
    body = {"prompt": prompt, "max_tokens": 1, "temperature": 0, "ignore_eos": True}
    return client.expecting(200, purpose).post("/completions", body, timeout=600)


def _usage(reply: Reply) -> dict[str, Any]:
    return (reply.body.get("usage") or {}) if isinstance(reply.body, dict) else {}


def _cached(reply: Reply) -> int | None:
    """Prompt tokens that came from the cache; None where usage does not say."""
    count = (_usage(reply).get("prompt_tokens_details") or {}).get("cached_tokens")
    return int(count) if isinstance(count, int) else None


def _spent(pairs: tuple[Pair, ...]) -> int | None:
    """Tokens of all prompts and answers; None where one of them does not tell."""
    told = [_usage(reply).get("total_tokens") for pair in pairs for reply in (pair.first, pair.again)]
    known = [each for each in told if isinstance(each, int)]
    return sum(known) if len(known) == len(told) else None


def ratios(seen: Repeats) -> list[float]:
    """Second time to the first token by the first, of each pair that was answered."""
    answered = (pair for pair in seen.pairs if pair.first.status == pair.again.status == 200)
    return [pair.again.seconds / pair.first.seconds for pair in answered if pair.first.seconds > 0]


def _parts(seen: Repeats) -> Iterator[Part]:
    for number, each in enumerate(seen.pairs, start=1):
        yield _pair_part(f"prompt {number}", each, seen.length)
    shares = ratios(seen)
    interval = median_interval(shares)
    said = f"too few pairs were answered: {len(shares)}"
    if interval is not None:
        said = f"{median(shares):.2f} of the first time, {interval[0]:.2f} to {interval[1]:.2f} at 95 %"
    measured = f"{median(shares):.2f}" if shares else ""
    yield check("sooner", at_most(interval, RATIO), said, expected=f"<= {RATIO}", measured=measured)


def _pair_part(name: str, pair: Pair, length: int) -> Part:
    bad = next((reply for reply in (pair.first, pair.again) if reply.status != 200), None)
    if bad is not None:
        return check(name, None, f"status {bad.status}: {bad.message[:160]}", expected="two answers")
    before, after = _cached(pair.first), _cached(pair.again)
    if before is None or after is None:
        return check(f"{name}: cached", None, "usage does not report cached tokens", expected="a count")
    if before > length * (1 - CACHED_SHARE):
        said = f"{before} tokens of a fresh prompt were cached already"
        return check(f"{name}: cached", None, said, expected="none")
    wanted = int(length * CACHED_SHARE)
    said = f"{after} of {length} prompt tokens from the cache, {before} the first time"
    return check(f"{name}: cached", after >= wanted, said, expected=f">= {wanted}", measured=after)


def judge(seen: Repeats, inventory: Inventory) -> Finding:
    """Each repeated prompt must come from the cache, and the median in at most half the time; off: no claim."""
    if seen.off:
        return _off(seen)
    shares = ratios(seen)
    return finding(
        _parts(seen),
        seen.window,
        inventory,
        good=f"a prompt of {seen.length:,} tokens comes back in {median(shares) if shares else 0:.0%} of the time",
        expected=f">= {CACHED_SHARE:.0%} of the prompt cached, and the first token in <= {RATIO:.0%} of the time",
        source=RATIO_SOURCE,
        value=median(shares) if shares else None,
        unit="of the first time",
        samples=len(shares),
        interval=median_interval(shares),
        limit=RATIO,
        sense=Sense.MOST,
        shortest_s=min((each.first.seconds for each in seen.pairs), default=None),
        notes=("One request at a time, right after the first: under load the cache may have given the blocks away.",),
    )


def _off(seen: Repeats) -> Finding:
    said = f"the engine keeps none here; it says: {seen.off}"
    return Finding(
        outcome=Outcome.NOT_APPLICABLE,
        because=said,
        expected="a prefix cache",
        measured="off",
        threshold="",
        threshold_source=RATIO_SOURCE,
        provenance=Provenance.MEASURED_HERE,
        parts=(Part("prefix-cache", Outcome.NOT_APPLICABLE, said, "", "off"),),
    )


ASSUMPTION = Assumption(
    id="prefix-caching-helps",
    guide="K2 Thinking guide §4.2",
    states="Prefix caching makes a prompt whose beginning was seen before cheaper.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Leave vLLM's default on and give --enable-prompt-tokens-details, so that usage shows the cached tokens; "
    "where the engine switches the cache off, plan without it.",
    version=2,
    observe=observe,
    judge=judge,
)
