"""Claim: 256K tokens of context work."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Outcome, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._served import engine_log, served
from inventories.schema import Inventory
from serving.client import Client, Reply
from tasks.site import Site

GUIDE_TOKENS = 262_144  # "256K": max_position_embeddings of Kimi K2 Thinking's config.json
COMPLETION = 8  # tokens; prompt plus completion fill the window exactly
SLOWEST = 400.0  # tokens a second of prefill below which a request of full length is given up


@dataclass(frozen=True, slots=True)
class Window:
    """The request that fills the declared window, the same again, and two that are too long."""

    declared: int
    full: Reply
    again: Reply | None  # None: the engine says that it has no prefix cache, so nothing could be seen
    one_over: Reply
    no_room: Reply
    prefix_caching: bool | None


def _prompt(client: Client, length: int) -> list[int]:
    """Token ids, the same at every run: words of the model's own vocabulary in a fixed random order."""
    words = client.expecting(200, "tokens for the long prompt").call(
        "POST",
        "/tokenize",
        json_body={"model": client.model, "prompt": "zero one two three four five six seven"},
        key=True,
    )
    ids = [int(token) for token in words.body["tokens"]]
    return random.Random(length).choices(ids, k=length)  # noqa: S311  (a prompt, not a secret)


def _ask(client: Client, prompt: list[int], purpose: str, status: int, most: float) -> Reply:
    body = {"prompt": prompt, "max_tokens": COMPLETION, "temperature": 0, "ignore_eos": True}
    return client.expecting(status, purpose).post("/completions", body, timeout=most)


def observe(site: Site, stage: Stage) -> Window:
    """Fill the window, fill it again, go one token past it, leave no room for an answer."""
    declared = site.inventory.serving.context_tokens
    most = 120 + declared / SLOWEST * (1 + declared / 65_536)  # prefill grows faster than its length
    prefix = engine_log(site, stage).prefix_caching
    with served(site, stage) as at:
        prompt = _prompt(at.client, declared + 1)
        return Window(
            declared=declared,
            full=_ask(at.client, prompt[: declared - COMPLETION], "full window", 200, most),
            again=None
            if prefix is False
            else _ask(at.client, prompt[: declared - COMPLETION], "the same again", 200, most),
            one_over=_ask(at.client, prompt, "one token over", 400, 60),
            no_room=_ask(at.client, prompt[:declared], "no room for an answer", 400, 60),
            prefix_caching=prefix,
        )


def _usage(reply: Reply) -> dict[str, int]:
    return (reply.body or {}).get("usage") or {}


def _parts(seen: Window) -> Iterator[Part]:
    usage, size = _usage(seen.full), seen.declared
    counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    if seen.full.status != 200:
        yield check(
            "declared-window", False, f"{seen.full.status}: {seen.full.message[:200]}", expected=f"{size} tokens served"
        )
    else:
        said = f"{counts[0]} prompt + {counts[1]} completion tokens in {seen.full.seconds:.1f} s"
        whole = counts == (size - COMPLETION, COMPLETION)
        yield check("declared-window", whole, said, expected=f"{size - COMPLETION} + {COMPLETION}", measured=counts)
    over = seen.one_over
    words = f"{over.status}: {over.message[:200]}"
    yield check(
        "one-token-over", over.status == 400 and str(size) in over.message, words, expected=f"400, naming {size}"
    )
    none = seen.no_room
    yield check("no-room-to-answer", none.status == 400, f"{none.status}: {none.message[:200]}", expected=400)
    yield _cache(seen)
    if size < GUIDE_TOKENS:
        said = f"only {size:,} tokens were declared and served here; nothing was seen of {GUIDE_TOKENS:,}"
        yield check("guide-256k", None, said, expected=f"{GUIDE_TOKENS:,} tokens served", measured=f"{size:,}")
    else:
        yield check("guide-256k", size >= GUIDE_TOKENS, f"{size:,} tokens were declared", expected=f"{GUIDE_TOKENS:,}")


def _cache(seen: Window) -> Part:
    """The second request must come from the prefix cache, where the engine keeps one on this platform."""
    if seen.again is None:
        said = "this engine says that it keeps no prefix cache on this platform"
        return Part("prefix-cache", Outcome.NOT_APPLICABLE, said, "", "off")
    if seen.again.status != 200:
        return check(
            "prefix-cache", None, f"{seen.again.status}: {seen.again.message[:160]}", expected="a second answer"
        )
    details = (seen.again.body or {}).get("usage", {}).get("prompt_tokens_details") or {}
    tokens = details.get("cached_tokens")
    if tokens is None:
        return check("prefix-cache", None, "usage does not report cached tokens", expected="> 0")
    said = f"{tokens} of {seen.declared - COMPLETION} prompt tokens cached, {seen.again.seconds:.1f} s"
    return check("prefix-cache", tokens > seen.declared // 2, said, expected="more than half", measured=tokens)


def judge(seen: Window, inventory: Inventory) -> Finding:
    """The guide's sentence passes only where the guide's own length was declared, served and seen."""
    parts = tuple(_parts(seen))
    held = worst(part for part in parts if part.name != "guide-256k")
    served_text = f"the declared {seen.declared:,} tokens are served in full and one more is refused"
    return Finding(
        outcome=worst(parts),
        because=because(parts, served_text),
        expected=f"{seen.declared - COMPLETION:,} + {COMPLETION} tokens by usage; 400 one token later",
        measured=f"{_usage(seen.full).get('total_tokens')} tokens in {seen.full.seconds:.1f} s",
        threshold=f"{GUIDE_TOKENS} tokens",
        threshold_source="max_position_embeddings in moonshotai/Kimi-K2-Thinking config.json; guide §1.2 says 256K",
        provenance=Provenance.MEASURED_HERE,
        value=float(_usage(seen.full).get("total_tokens") or 0),
        unit="tokens",
        limit=float(GUIDE_TOKENS),
        parts=parts,
        notes=(f"At the declared length: {served_text}.",)
        if held is Outcome.PASS and seen.declared < GUIDE_TOKENS
        else (),
    )


ASSUMPTION = Assumption(
    id="context-256k",
    guide="K2 Thinking guide §1.2, §9",
    states="The full context window of 256K tokens works, without truncation.",
    stages=(Stage.STAGING,),
    severity=Severity.BLOCKING,
    remedy="Declare only a context that was served in full; to judge the guide's length set "
    "serving.context_tokens to 262144 (a rehearsal: make rehearse CONTEXT=262144).",
    version=1,
    observe=observe,
    judge=judge,
)
