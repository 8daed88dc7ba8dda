"""Claim: what is served speaks OpenAI's API as clients use it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._parts import because, check, worst
from assumptions._served import ABSENT, served
from inventories.schema import Inventory
from serving.client import Answer, Client, Refused, Reply
from tasks.site import Site

PROMPT = "Say one sentence."
BUDGET = 32  # thinking tokens, so that a tool call comes soon
ROOM = 1024
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}
# Full inference without a key at vLLM's own port (vllm#58144); the gateway must not let it through.
OPEN_ROUTE = "/invocations"


@dataclass(frozen=True, slots=True)
class Answers:
    """What each call gave; `live` says that the calls went through the gateway."""

    live: bool
    model: str
    health: Reply
    models: Reply
    chat: Answer
    stream: Answer
    tool: Answer
    unknown_model: Reply
    bad_body: Reply
    no_key: Reply
    wrong_key: Reply
    open_route: Reply


def observe(site: Site, stage: Stage) -> Answers:
    """Ten calls, through the openai client where a client would use it."""
    with served(site, stage) as at:
        client = at.client
        body = {"messages": [{"role": "user", "content": PROMPT}], "max_tokens": 4}
        named = {"model": client.model, **body}
        chat = "/v1/chat/completions"
        return Answers(
            live=stage is Stage.LIVE,
            model=client.model,
            health=client.expecting(200, "health").call("GET", "/health"),
            models=client.expecting(200, "models").call("GET", "/v1/models"),
            chat=_said(lambda: client.expecting(200, "chat").chat(PROMPT, max_tokens=ROOM, temperature=0)),
            stream=_said(lambda: client.expecting(200, "stream").stream(PROMPT, max_tokens=ROOM, temperature=0)),
            tool=_said(lambda: _tool(client.expecting(200, "forced tool"))),
            unknown_model=client.expecting(404, "unknown model").call(
                "POST", chat, json_body={"model": "no-such", **body}
            ),
            bad_body=client.expecting(400, "bad body").post("/chat/completions", {"messages": "not a list"}),
            no_key=client.expecting(401, "no key").call("POST", chat, json_body=named, key=False),
            wrong_key=client.expecting(401, "wrong key").call("POST", chat, json_body=named, key="wrong"),
            open_route=client.call("POST", OPEN_ROUTE, json_body=named, key=False),
        )


def _tool(client: Client) -> Answer:
    choice = {"type": "function", "function": {"name": "get_weather"}}
    return client.chat(
        "What is the weather in Paris for two days?",
        max_tokens=ROOM,
        temperature=0,
        tools=[TOOL],
        tool_choice=choice,
        thinking_token_budget=BUDGET,
    )


def _said(ask: Callable[[], Answer]) -> Answer:
    """A refusal is an answer too; a lost connection is not, nor is a gateway with nothing behind it."""
    try:
        return ask()
    except Refused as refusal:
        if refusal.status in ABSENT:
            raise
        return Answer("", "", f"{refusal.status}: {refusal.message[:200]}", None, None, None)


def _text(name: str, answer: Answer) -> Iterator[Part]:
    said = f"{len(answer.content)} characters, finish {answer.finish!r}"
    yield check(
        name, bool(answer.content) and answer.finish == "stop", said, expected="text, stop", measured=answer.finish
    )
    counts = (answer.prompt_tokens, answer.completion_tokens)
    known = all(isinstance(n, int) and n > 0 for n in counts)
    yield check(
        f"{name}-usage", known, f"usage says {counts[0]} + {counts[1]} tokens", expected="both > 0", measured=counts
    )


def _arguments(answer: Answer) -> Part:
    """A forced, strict call must name the tool and carry arguments of its schema."""
    calls = answer.tool_calls
    if not calls:
        return check("forced-tool", False, f"no tool call, finish {answer.finish!r}", expected="one call")
    function = calls[0]["function"]
    try:
        arguments = json.loads(function["arguments"])
    except ValueError:
        return check("forced-tool", False, f"arguments are not JSON: {function['arguments'][:80]!r}", expected="JSON")
    fits = (
        function["name"] == "get_weather"
        and isinstance(arguments, dict)
        and set(arguments) == {"city", "days"}
        and isinstance(arguments["city"], str)
        and type(arguments["days"]) is int
    )
    return check(
        "forced-tool", fits, f"{function['name']}({function['arguments']})", expected="city: text, days: integer"
    )


def _parts(seen: Answers) -> Iterator[Part]:
    yield check(
        "health", seen.health.status == 200, f"status {seen.health.status}", expected=200, measured=seen.health.status
    )
    listed = [m.get("id") for m in (seen.models.body or {}).get("data", [])] if seen.models.status == 200 else []
    yield check("models", seen.model in listed, f"lists {listed}", expected=seen.model, measured=listed)
    yield from _text("chat", seen.chat)
    yield from _text("stream", seen.stream)
    yield check(
        "stream-chunks",
        seen.stream.chunks > 2,
        f"{seen.stream.chunks} chunks",
        expected="> 2",
        measured=seen.stream.chunks,
    )
    yield _arguments(seen.tool)
    for name, reply, wanted in (
        ("unknown-model", seen.unknown_model, 404),
        ("bad-body", seen.bad_body, 400),
        ("no-key", seen.no_key, 401),
        ("wrong-key", seen.wrong_key, 401),
    ):
        yield check(
            name,
            reply.status == wanted,
            f"{reply.status}: {reply.message[:160]}",
            expected=wanted,
            measured=reply.status,
        )
    if seen.live:
        closed = seen.open_route.status in (401, 403, 404)
        said = f"{OPEN_ROUTE} without a key: {seen.open_route.status}"
        yield check("closed-routes", closed, said, expected="401, 403 or 404", measured=seen.open_route.status)


def judge(seen: Answers, inventory: Inventory) -> Finding:
    """Every part must hold."""
    parts = tuple(_parts(seen))
    good = sum(part.outcome == "PASS" for part in parts)
    notes = []
    if seen.health.text == "":
        notes.append(
            '/health has an empty body; the guide (§4.3) expects {"status": "ok"}: probe the status code alone.'
        )
    if not seen.live and seen.open_route.status == 200:
        notes.append(
            f"The engine's own port answers {OPEN_ROUTE} without a key: it stays on loopback, behind the gateway."
        )
    return Finding(
        outcome=worst(parts),
        because=because(parts, f"all {len(parts)} behaviours that clients rely on were seen"),
        expected="models, chat, streaming, forced tool, usage and error statuses as OpenAI's clients expect them",
        measured=f"{good} of {len(parts)} behaviours",
        threshold=f"{len(parts)} of {len(parts)}",
        threshold_source="OpenAI API reference (chat completions, errors), as the openai client reads it",
        provenance=Provenance.MEASURED_HERE,
        value=float(good),
        unit="behaviours",
        parts=parts,
        notes=tuple(notes),
    )


ASSUMPTION = Assumption(
    id="openai-api",
    guide="K2 Thinking guide §4.3, §9",
    states="The served model speaks the OpenAI API, so an application needs no wrapper of its own.",
    stages=(Stage.STAGING, Stage.LIVE),
    severity=Severity.BLOCKING,
    remedy="Compare the failing part with the raw record; check the tool-call and reasoning parsers of this model, "
    "and keep clients on /v1 behind the gateway.",
    version=1,
    observe=observe,
    judge=judge,
)
