"""Claim: the engine knows the model's architecture and serves its experts with a layer made for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assumptions._api import counted
from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._guide import applies, not_applicable
from assumptions._host import finding
from assumptions._parts import check
from assumptions._served import engine_log
from inventories.figures import model
from inventories.schema import Inventory
from tasks.engine_python import engine_python
from tasks.facts.base import NotUnderstood, look
from tasks.facts.engine_code import EngineCode, EngineCodeFact
from tasks.facts.text_file import TextFile
from tasks.site import Site

DOCUMENTS = {"K2 Thinking": "kimi-k2-thinking", "K2.5": "kimi-k2.5"}  # the models of the two documents, in our catalog
_RESOLVED = re.compile(r"Resolved architecture: (\w+)")
SOURCE = "vLLM's own registry, model_executor/models; the architecture that the running engine logs"


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the checkpoint and the two documents' models are, what the engine's code has, what the running one says.

    `experts` is n_routed_experts of the served checkpoint; `logged` is "" where the log does not say.
    """

    served: str
    experts: int | None
    others: dict[str, str]
    code: EngineCode | None
    logged: str


def observe(site: Site, stage: Stage) -> Architecture:
    """The checkpoint's config.json, the engine's files, its log."""
    inventory, head = site.inventory, site.head
    if not applies(inventory):
        return Architecture("", None, {}, None, "")
    host = site.host(head.name)
    fact = TextFile(f"{inventory.model_dir(inventory.model.catalog, str(inventory.model.revision), head)}/config.json")
    text = look(host, fact)
    if text is None:
        raise NotUnderstood(fact, "no config.json beside the weights")
    config = json.loads(text)
    others = {title: _name(model(card).read_config()) for title, card in DOCUMENTS.items()}
    names = (_name(config), *others.values())
    code = look(host, EngineCodeFact(engine_python(inventory, head), tuple(dict.fromkeys(names))), timeout=120)
    logged = _RESOLVED.search(engine_log(site, stage).text)
    inner = config.get("text_config") or config
    return Architecture(names[0], counted(inner, "n_routed_experts"), others, code, logged[1] if logged else "")


def _name(config: dict[str, Any]) -> str:
    found = config.get("architectures") or ()
    return str(found[0]) if found else ""


def _known(name: str, architecture: str, code: EngineCode) -> Part:
    """In the registry, and its module is there."""
    where = code.architectures.get(architecture)
    if not architecture:
        return check(name, None, "config.json names no architecture", expected="in the registry")
    if where is None:
        said = f"{architecture} is none of {code.known} architectures of vLLM {code.version}"
        return check(name, False, said, expected="in the registry", measured=architecture)
    there = where[0] in code.modules
    said = f"{architecture} in {where[0]}" + ("" if there else ", which is not there")
    return check(name, there, said, expected="in the registry", measured=architecture)


def _parts(seen: Architecture, code: EngineCode) -> Iterator[Part]:
    yield _known("served", seen.served, code)
    for title, architecture in seen.others.items():
        yield _known(title, architecture, code)
    where = code.architectures.get(seen.served)
    if where is not None and where[0] in code.modules:
        fused = code.modules[where[0]]
        said = f"{where[0]} builds its experts {'with' if fused else 'without'} the fused layer"
        yield check("experts' layer", fused, said, expected="the fused layer", measured=fused)
    several = None if seen.experts is None else seen.experts > 1
    said = "config.json does not say" if seen.experts is None else f"{seen.experts} routed experts"
    yield check("experts", several, said, expected="> 1", measured=seen.experts)
    same = None if not (seen.logged and seen.served) else seen.logged == seen.served
    said = f"the running engine says {seen.logged}" if seen.logged else "the log does not say"
    yield check("running", same, said, expected=seen.served, measured=seen.logged)


def judge(seen: Architecture, inventory: Inventory) -> Finding:
    """In the registry with its module, experts with the fused layer, and that architecture in the running engine."""
    if seen.code is None:
        return not_applicable(inventory)
    return finding(
        _parts(seen, seen.code),
        good=f"vLLM {seen.code.version} runs {seen.served} with {seen.experts} experts in its fused layer",
        expected="the architecture in the engine's registry, its experts in the fused layer, and running",
        source=SOURCE,
        value=None if seen.experts is None else float(seen.experts),
        unit="routed experts",
    )


ASSUMPTION = Assumption(
    id="moe-architecture",
    guide="K2 Thinking guide §3.3",
    states="vLLM knows the model's mixture-of-experts architecture and serves it with a layer made for experts.",
    stages=(Stage.STAGING,),
    severity=Severity.ADVISORY,
    remedy="Choose an engine version whose registry has the architecture of config.json (K2 Thinking: vLLM 0.12 or "
    "later; K2.5: 0.19.1 or later), not a fallback that runs the checkpoint's own code.",
    version=1,
    observe=observe,
    judge=judge,
)
