"""Claim: usage counts what was really read and written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._api import OPENAI, ask, choice, counted, request, spent, unusable, usage
from assumptions._api_stream import Streamed, stream, unstreamed
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

PROMPT = "Count from one to twenty in words, and say nothing else."
TOKENIZE = "/tokenize"


@dataclass(frozen=True, slots=True)
class Counts:
    """The prompt by the server's own tokenizer; the answer, its tokens listed: whole, as a stream, without usage."""

    tokenized: Reply
    whole: Reply
    streamed: Streamed
    plain: Streamed


def observe(site: Site, stage: Stage) -> Counts:
    """Four requests for one prompt; log probabilities, because they come one for each token."""
    body = {**request(site.inventory, PROMPT), "logprobs": True}
    with served(site, stage) as at:
        text = {"model": at.client.model, "messages": body["messages"]}
        counting = at.client.expecting(200, "the prompt's tokens")
        return Counts(
            counting.call("POST", TOKENIZE, json_body=text, key=True),
            ask(at.client, "usage", body),
            stream(at.client, "usage, streamed", {**body, "stream_options": {"include_usage": True}}),
            stream(at.client, "no usage asked for", body),
        )


def _same(name: str, told: int | None, counted_here: int | None, of: str) -> Part:
    """What usage says beside what was counted; None where one of the two is missing."""
    if told is None:
        return check(name, False, "usage does not say it", expected=counted_here)
    if counted_here is None:
        return check(name, None, f"{told}, and nothing to hold it against: {of}", expected="the same", measured=told)
    return check(name, told == counted_here, f"{told}; {counted_here} {of}", expected=counted_here, measured=told)


def _listed(reply: Reply) -> int | None:
    """How many tokens the answer lists; None where it lists none."""
    found = choice(reply).get("logprobs")
    tokens = found.get("content") if isinstance(found, dict) else None
    return len(tokens) if isinstance(tokens, list) and tokens else None


def _parts(seen: Counts) -> Iterator[Part]:
    if (part := unusable("whole", seen.whole)) is not None:
        yield part
        return
    prompt, completion = usage(seen.whole, "prompt_tokens"), usage(seen.whole, "completion_tokens")
    own = counted(seen.tokenized.body, "count") if seen.tokenized.status == 200 else None
    yield _same("prompt", prompt, own, f"by {TOKENIZE}")
    yield _same("completion", completion, _listed(seen.whole), "tokens listed in the answer")
    whole = None if prompt is None or completion is None else prompt + completion
    yield _same("total", usage(seen.whole, "total_tokens"), whole, "in prompt and completion")
    thought = spent(seen.whole)
    within = None if thought is None or completion is None else 0 <= thought <= completion
    yield check("thinking", within, f"{thought} of {completion}", expected="a part of the completion", measured=thought)
    yield from _streamed(seen, prompt)


def _streamed(seen: Counts, prompt: int | None) -> Iterator[Part]:
    if (part := unstreamed("streamed", seen.streamed)) is not None:
        yield part
        return
    told = seen.streamed.usage
    if told is None:
        yield check(
            "streamed", False, "include_usage is not obeyed: no chunk carries usage", expected="a chunk with it"
        )
        return
    yield _same("streamed prompt", counted(told, "prompt_tokens"), prompt, "in the whole answer")
    listed = seen.streamed.logprobs or None
    yield _same("streamed completion", counted(told, "completion_tokens"), listed, "tokens listed in its chunks")
    if (part := unstreamed("not asked", seen.plain)) is not None:
        yield part
        return
    said = f"{seen.plain.usages} chunks carry usage"
    yield check("not asked", seen.plain.usages == 0, said, expected="none", measured=seen.plain.usages)


def judge(seen: Counts, inventory: Inventory) -> Finding:
    """Prompt as the server's tokenizer counts, completion as the tokens listed, their sum, and the same in a stream."""
    completion = usage(seen.whole, "completion_tokens")
    return finding(
        _parts(seen),
        good=f"{usage(seen.whole, 'prompt_tokens')} + {completion} tokens, as counted, streamed too",
        expected="usage equals what the tokenizer and the listed tokens give, to the token",
        source=f"{OPENAI}: usage, stream_options; the server's own {TOKENIZE} and logprobs",
        threshold="a difference of 0 tokens",
        value=None if completion is None else float(completion),
        unit="completion tokens",
    )


ASSUMPTION = Assumption(
    id="usage-counts",
    guide="K2 Thinking guide §5.1, §9",
    states="usage counts exactly the tokens that were read and written, streamed too.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Count with the served tokenizer instead, and do not bill or bound by usage until the difference is "
    "explained by the raw record.",
    version=2,
    observe=observe,
    judge=judge,
)
