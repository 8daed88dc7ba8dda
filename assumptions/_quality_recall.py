"""Asking for hidden numbers at several lengths and depths, each request's tokens counted by the engine's own route."""

from __future__ import annotations

from dataclasses import dataclass

from assumptions._core import Stage
from assumptions._quality_needles import DEPTHS, Needle, haystack, needles, question
from assumptions._served import served, slot
from inventories.errors import Problem
from serving.client import Client, Reply
from tasks.site import Site

SHARES = (0.125, 0.25, 0.5, 1.0)  # of the declared context
EACH = 8  # needles at each depth: 40 at a length, of which 39 must be found
ROOM = 2_048  # tokens for thinking and answer
BUDGET = 1_024  # of them for thinking
SLOWEST = 400.0  # tokens a second of prefill below which it is given up, as in context-256k
REHEARSAL = ((0.03125, 0.125), (0.0, 1.0), 2, 48)  # shares, depths, needles each, room: seconds on a CPU


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its length by the engine's own tokenizer, its needles, and what came."""

    share: float
    depth: float
    sent_tokens: int
    needles: tuple[Needle, ...]
    status: int
    message: str
    finish: str
    content: str
    thinking: str
    prompt_tokens: int | None


@dataclass(frozen=True, slots=True)
class Recall:
    """Every request, and the declared context."""

    declared: int
    asked: tuple[Asked, ...]


def recalled(site: Site, stage: Stage) -> Recall:
    """At each length one text, and a question for each depth; its tokens are counted by the engine's own route."""
    declared, made = site.inventory.serving.context_tokens, site.inventory.kind == "rehearsal"
    shares, depths, each, room = REHEARSAL if made else (SHARES, DEPTHS, EACH, ROOM)
    room = min(room, declared // 4)
    hidden = needles(each, depths)
    asked: list[Asked] = []
    with served(site, stage) as at, site.client(slot(site, stage).port) as engine:
        for share in shares:
            text = _sized(engine, int(share * declared) - room, hidden)
            for depth in depths:
                group = tuple(needle for needle in hidden if needle.depth == depth)
                asked.append(_ask(at.client, engine, text, share, group, room))
    return Recall(declared, tuple(asked))


def _sized(engine: Client, target: int, hidden: tuple[Needle, ...]) -> str:
    """A text with its question of at most `target` tokens, and not much less."""
    characters = target * 4
    for _ in range(6):
        text = haystack(characters, hidden)
        tokens = _tokens(engine, text + question(hidden[:EACH]))
        if 0.97 * target <= tokens <= target:
            break
        characters = int(characters * target * 0.985 / tokens)
    return text


def _messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _tokens(engine: Client, text: str) -> int:
    body = {"model": engine.model, "messages": _messages(text)}
    reply = engine.expecting(200, "how many tokens").call("POST", "/tokenize", json_body=body, timeout=300)
    if reply.status != 200 or not isinstance(reply.body, dict) or not isinstance(reply.body.get("count"), int):
        what = f"the engine does not count a chat's tokens: {reply.status}: {reply.message[:120]}"
        raise Problem(what, where=f"{engine.base_url}: /tokenize", fix="judge this claim with vLLM")
    return int(reply.body["count"])


def _ask(client: Client, engine: Client, text: str, share: float, asked: tuple[Needle, ...], room: int) -> Asked:
    prompt = text + question(asked)
    sent = _tokens(engine, prompt)
    most = 120 + sent / SLOWEST * (1 + sent / 65_536)
    body = {
        "messages": _messages(prompt),
        "max_tokens": room,
        "temperature": 0,
        "thinking_token_budget": min(BUDGET, room // 2),
    }
    purpose = f"needles at {asked[0].depth:.0%} of {sent} tokens"
    reply = client.expecting(200, purpose).post("/chat/completions", body, timeout=most)
    return _read(reply, share, sent, asked)


def _read(reply: Reply, share: float, sent: int, asked: tuple[Needle, ...]) -> Asked:
    body = reply.body if reply.status == 200 and isinstance(reply.body, dict) else {}
    choice = (body.get("choices") or [{}])[0]
    message, tokens = choice.get("message") or {}, (body.get("usage") or {}).get("prompt_tokens")
    return Asked(
        share=share,
        depth=asked[0].depth,
        sent_tokens=sent,
        needles=asked,
        status=reply.status,
        message="" if body else reply.message[:300],
        finish=str(choice.get("finish_reason")),
        content=str(message.get("content") or "")[:4000],
        thinking=str(message.get("reasoning") or message.get("reasoning_content") or "")[-2000:],
        prompt_tokens=tokens if isinstance(tokens, int) else None,
    )
