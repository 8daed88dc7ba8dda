"""Claim: a prompt that was just seen is answered sooner, from the prefix cache."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Outcome, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._served import engine_log, served
from inventories.schema import Inventory
from serving.client import Client, Reply
from tasks.site import Site

LONGEST = 16_384  # tokens of a prompt: long enough that prefill outweighs the request itself, seconds on a CPU
PAIRS = 2  # fresh prompts, each asked twice
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


def observe(site: Site, stage: Stage) -> Repeats:
    """Two fresh prompts, each twice in a row; none where the engine says that it keeps no prefix cache."""
    length = min(LONGEST, site.inventory.serving.context_tokens // 2)
    log = engine_log(site, stage)
    if log.prefix_caching is False:
        line = OFF.search(log.text)
        return Repeats(length, (), line[0].strip()[:300] if line else "switched off")
    with served(site, stage) as at:
        return Repeats(length, tuple(_pair(at.client, length) for _ in range(PAIRS)))


def _pair(client: Client, length: int) -> Pair:
    prompt = _prompt(client, length)
    first, again = (_ask(client, prompt, purpose) for purpose in ("a fresh prompt", "the same prompt again"))
    return Pair(first, again)


def _prompt(client: Client, length: int) -> list[int]:
    """Words of the model's own vocabulary in an order that no earlier request had."""
    text = {"model": client.model, "prompt": "zero one two three four five six seven eight nine ten"}
    words = client.expecting(200, "tokens for a fresh prompt").call("POST", "/tokenize", json_body=text, key=True)
    ids = [int(token) for token in words.body["tokens"]]
    return random.Random(secrets.randbits(64)).choices(ids, k=length)  # noqa: S311  (a prompt, not a secret)


def _ask(client: Client, prompt: list[int], purpose: str) -> Reply:
    body = {"prompt": prompt, "max_tokens": 1, "temperature": 0, "ignore_eos": True}
    return client.expecting(200, purpose).post("/completions", body, timeout=600)


def _cached(reply: Reply) -> int | None:
    """Prompt tokens that came from the cache; None where usage does not say."""
    usage = reply.body.get("usage") if isinstance(reply.body, dict) else None
    details = (usage or {}).get("prompt_tokens_details") or {}
    count = details.get("cached_tokens")
    return int(count) if isinstance(count, int) else None


def ratio(seen: Repeats) -> float | None:
    """The larger of the pairs' ratios: each of them has to be better."""
    return max((pair.again.seconds / pair.first.seconds for pair in seen.pairs if pair.first.seconds > 0), default=None)


def _parts(seen: Repeats) -> Iterator[Part]:
    if seen.off:
        yield Part(
            "prefix-cache", Outcome.NOT_APPLICABLE, f"the engine keeps none here; it says: {seen.off}", "", "off"
        )
        return
    for number, pair in enumerate(seen.pairs, start=1):
        yield from _pair_parts(f"prompt {number}", pair, seen.length)


def _pair_parts(name: str, pair: Pair, length: int) -> Iterator[Part]:
    bad = next((reply for reply in (pair.first, pair.again) if reply.status != 200), None)
    if bad is not None:
        yield check(name, None, f"status {bad.status}: {bad.message[:160]}", expected="two answers")
        return
    before, after = _cached(pair.first), _cached(pair.again)
    if before is None or after is None:
        yield check(f"{name}: cached", None, "usage does not report cached tokens", expected="a count")
    elif before > length * (1 - CACHED_SHARE):
        yield check(f"{name}: cached", None, f"{before} tokens of a fresh prompt were cached already", expected="none")
    else:
        wanted = int(length * CACHED_SHARE)
        said = f"{after} of {length} prompt tokens from the cache, {before} the first time"
        yield check(f"{name}: cached", after >= wanted, said, expected=f">= {wanted}", measured=after)
    share = pair.again.seconds / pair.first.seconds if pair.first.seconds > 0 else None
    said = f"{pair.first.seconds:.3f} s, then {pair.again.seconds:.3f} s to the first token"
    measured = "" if share is None else f"{share:.2f}"
    yield check(f"{name}: sooner", None if share is None else share <= RATIO, said, expected=RATIO, measured=measured)


def judge(seen: Repeats, inventory: Inventory) -> Finding:
    """Each repeated prompt must come from the cache and in at most half the time; off on this platform: no claim."""
    parts, share = tuple(_parts(seen)), ratio(seen)
    told = (
        parts[0].because
        if seen.off
        else f"a prompt of {seen.length:,} tokens comes back in {share or 0:.0%} of the time"
    )
    return Finding(
        outcome=worst(parts),
        because=parts[0].because if seen.off else because(parts, told),
        expected=f">= {CACHED_SHARE:.0%} of the prompt cached, and the first token in <= {RATIO:.0%} of the time",
        measured="off" if seen.off else f"{share:.2f}" if share is not None else "nothing",
        threshold=f"<= {RATIO} of the first time, >= {CACHED_SHARE} cached",
        threshold_source=RATIO_SOURCE,
        provenance=Provenance.MEASURED_HERE,
        value=None if share is None else round(share, 3),
        unit="of the first time",
        parts=parts,
        notes=("One request at a time, right after the first: under load the cache may have given the blocks away.",)
        if seen.pairs
        else (),
    )


ASSUMPTION = Assumption(
    id="prefix-caching-helps",
    guide="K2 Thinking guide §4.2",
    states="Prefix caching makes a prompt whose beginning was seen before cheaper.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Leave vLLM's default on and give --enable-prompt-tokens-details, so that usage shows the cached tokens; "
    "where the engine switches the cache off, plan without it.",
    version=1,
    observe=observe,
    judge=judge,
)
