"""Claim: thinking budgets from 1K to 256K tokens are taken, and 96K is what is used where none is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assumptions._api import TINY, ask, finish, rehearsed, request, spent, unusable
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from assumptions.thinking_budget import NAME
from inventories.schema import Inventory
from serving.client import Client, Reply
from serving.effort import MAX_BUDGET, MIN_BUDGET
from tasks.site import Site

DEFAULT = 96_000  # guide §5.1, get_thinking_budget
BUDGETS = (MIN_BUDGET, DEFAULT, MAX_BUDGET)
FEW = 16  # tokens of an answer in a rehearsal: that a budget is taken shows at once
MOST = 4_096  # tokens an answer may take here: guide §5.1, generate()'s default max_tokens
SCHEMA = "ChatCompletionRequest"
SOURCE = "K2 Thinking guide §5.1, thinking_budget_range and get_thinking_budget: 1,000 to 256,000, default 96,000"


@dataclass(frozen=True, slots=True)
class Field:
    """What the engine's own document says of the request's field; `status` is that of the document."""

    status: int
    there: bool
    default: Any


@dataclass(frozen=True, slots=True)
class Tried:
    """A budget and the answer to a request with it."""

    budget: int
    reply: Reply


@dataclass(frozen=True, slots=True)
class Range:
    """The answer to each budget, to one above the context and to none, and the field as the engine documents it."""

    context_tokens: int
    budgets: tuple[Tried, ...]
    above: Reply
    free: Reply
    field: Field


def observe(site: Site, stage: Stage) -> Range:
    """Five easy questions, and the engine's own document."""
    context = site.inventory.serving.context_tokens

    def one(purpose: str, budget: int | None) -> Reply:
        most = FEW if rehearsed(site.inventory) else min(MOST, context // 2)
        body = request(site.inventory, max_tokens=most, thinking_token_budget=None)
        return ask(at.client, purpose, {**body, NAME: budget} if budget is not None else body)

    with served(site, stage) as at:
        budgets = tuple(Tried(budget, one(f"budget of {budget}", budget)) for budget in BUDGETS)
        above = one("budget above the context", max(context, MAX_BUDGET) + 1)
        free = one("no budget", None)
        with site.client(at.slot.port, timeout=60) as engine:
            return Range(context, budgets, above, free, _field(engine))


def _field(engine: Client) -> Field:
    reply = engine.expecting(200, "the engine's own document").call("GET", "/openapi.json", key=True, timeout=60)
    found: Any = reply.body
    for name in ("components", "schemas", SCHEMA, "properties", NAME):
        found = found.get(name) if isinstance(found, dict) else None
    return Field(reply.status, isinstance(found, dict), found.get("default") if isinstance(found, dict) else None)


def _taken(budget: int, reply: Reply) -> Part:
    """Answered, and no more thinking than allowed."""
    name, wanted = f"{budget:,} tokens", f"taken, <= {budget:,} thinking tokens"
    if (part := unusable(name, reply, expected=wanted)) is not None:
        return part
    tokens = spent(reply)
    if tokens is None:
        return check(name, None, "taken; usage does not report thinking tokens", expected=wanted)
    return check(name, tokens <= budget, f"taken; {tokens} tokens were thought", expected=wanted, measured=tokens)


def _parts(seen: Range, inventory: Inventory) -> Iterator[Part]:
    for tried in seen.budgets:
        yield _taken(tried.budget, tried.reply)
    room = seen.context_tokens > MAX_BUDGET
    told = f"a context of {seen.context_tokens:,} tokens " + ("leaves room" if room else "can't hold so much thinking")
    short = None if rehearsed(inventory) else False  # a rehearsal declares less to stay quick
    yield check(
        "room for the most",
        True if room else short,
        told if room or not rehearsed(inventory) else f"{told}; {TINY}",
        expected=f"> {MAX_BUDGET:,}",
        measured=seen.context_tokens,
    )
    yield _default(seen.field)


def _default(field: Field) -> Part:
    """What is used where no budget is sent is what the engine's document gives as the field's default."""
    wanted = f"{DEFAULT:,}"
    if field.status != 200:
        return check("default", None, f"the engine's document answers {field.status}", expected=wanted)
    if not field.there:
        return check("default", False, f"the engine's document has no field {NAME}", expected=wanted)
    told = "the field has no default: without it the thinking is bounded by max_tokens and the context alone"
    said = told if field.default is None else f"the engine's own default is {field.default}"
    return check("default", field.default == DEFAULT, said, expected=wanted, measured=field.default)


def judge(seen: Range, inventory: Inventory) -> Finding:
    """The range's ends and its default, each for itself."""
    whole = spent(seen.free) is not None and finish(seen.free) == "stop"
    notes = [f"Without a budget {spent(seen.free)} tokens were thought here."] if whole else []
    if seen.above.status == 200:
        notes.append("A budget above the context is taken without a word: the context ends the thinking before it.")
    elif seen.above.status == 400:
        notes.append(f"A budget above the context is refused: {seen.above.message[:120]}")
    return finding(
        _parts(seen, inventory),
        good=f"budgets from {MIN_BUDGET:,} to {MAX_BUDGET:,} are taken, and {DEFAULT:,} is used where none is sent",
        expected=f"{MIN_BUDGET:,} to {MAX_BUDGET:,} taken, default {DEFAULT:,}",
        source=SOURCE,
        notes=notes,
    )


ASSUMPTION = Assumption(
    id="thinking-budget-range",
    guide="K2 Thinking guide §1.3, §5.1",
    states="Thinking budgets from 1K to 256K tokens can be set per request, and 96K is the default.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Send thinking_token_budget with every request (serving/effort.py makes it from the effort): the engine "
    "has no default of its own, and 96K was the setting of the vendor's benchmarks.",
    version=1,
    observe=observe,
    judge=judge,
)
