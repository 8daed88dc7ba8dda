"""Claim: the same seed gives the same text, and another seed another one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assumptions._api import OPENAI, ask, content, first_unusable, rehearsed, request, thinking, token
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import served
from inventories.schema import Inventory
from serving.client import Reply
from tasks.site import Site

QUESTION = "Invent a short tale about a lighthouse."
SEED, OTHERS = 11, (12, 13, 14)
TIMES, TOKENS = 2, 48
OPENS, MARGIN = "<think>", -35  # by how much the rehearsal's model prefers its first token: its own logprobs
SOURCE = f"{OPENAI}: seed; Moonshot's temperature for thinking is 1.0 (K2.5 README)"


@dataclass(frozen=True, slots=True)
class Seeded:
    """Answers at temperature 1: one seed several times, and other seeds.

    `levelled`: the model's certainty about its first token was taken away, so that there was something to draw.
    """

    levelled: bool
    same: tuple[Reply, ...]
    others: tuple[Reply, ...]


def observe(site: Site, stage: Stage) -> Seeded:
    """Short answers, one after the other."""
    inventory = site.inventory
    with served(site, stage) as at:
        extra: dict[str, Any] = {}
        if rehearsed(inventory):
            extra = {"logit_bias": {str(token(at.client, OPENS)): MARGIN}}

        def one(seed: int) -> Reply:
            sampling = {"temperature": 1, "max_tokens": TOKENS, "seed": seed, **extra}
            body = request(inventory, QUESTION, **sampling, thinking_token_budget=None)
            return ask(at.client, f"seed {seed}", body)

        return Seeded(bool(extra), tuple(one(SEED) for _ in range(TIMES)), tuple(one(seed) for seed in OTHERS))


def _said(reply: Reply) -> str:
    return thinking(reply) + content(reply)


def _parts(seen: Seeded) -> Iterator[Part]:
    named = [("same seed", reply) for reply in seen.same] + [("other seeds", reply) for reply in seen.others]
    if (part := first_unusable(named)) is not None:
        yield part
        return
    same, all_of_them = {_said(reply) for reply in seen.same}, {_said(reply) for _, reply in named}
    if not all(all_of_them):
        yield check("same seed", None, "an answer is empty", expected="the same text")
        return
    drawn = len(all_of_them - same)
    if len(same) > 1:
        yield check("same seed", False, f"{len(same)} texts of one seed", expected="the same text", measured=len(same))
    else:
        said = f"the same text {len(seen.same)} times" + ("" if drawn else ", as with every other seed")
        yield check("same seed", True if drawn else None, said, expected="the same text", measured=len(same))
    said = f"{len(all_of_them)} texts of {len(seen.others) + 1} seeds"
    sure = "" if drawn else ": the model is so sure of itself that there is nothing to draw"
    yield check("other seeds", True if drawn else None, said + sure, expected="another text", measured=drawn)


def judge(seen: Seeded, inventory: Inventory) -> Finding:
    """One seed, one text; where every seed gives the same text, nothing is shown."""
    note = "The hand-made checkpoint was made unsure of its first token by logit_bias, so that there was a draw."
    return finding(
        _parts(seen),
        good="the same seed gives the same text, other seeds give others",
        expected="one text for one seed, other texts for other seeds",
        source=SOURCE,
        notes=(
            *((note,) if seen.levelled else ()),
            "One request at a time: in a full batch sums are made in another order, and texts of one seed may differ.",
        ),
    )


ASSUMPTION = Assumption(
    id="seeds",
    guide="K2 Thinking guide §9",
    states="A request can be repeated: the same seed gives the same text, another one another.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Keep the texts that must be found again instead of making them again; with vLLM look at "
    "VLLM_BATCH_INVARIANT where answers must not depend on what else is running.",
    version=1,
    observe=observe,
    judge=judge,
)
