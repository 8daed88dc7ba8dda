"""Claim: the guide's Python runs.  Each name and argument is looked up in what the openai library has."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._guide import applies, finding, not_applicable, unseen
from assumptions._guide_code import attributes, calls, settings, unbound
from assumptions._guide_text import HEALTH_CHECK, LOAD_TEST, PROVIDER
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.facts.client_libraries import OpenAi, openai
from tasks.site import Site

CLIENT = "openai.OpenAI"  # what the guide's self.client is
INSTEAD = {
    "openai.api_base": "OpenAI(base_url=…)",
    "openai.ChatCompletion.create": "OpenAI(base_url=…, api_key=…).chat.completions.create",
}
SOURCE = "the openai library itself; vLLM's documentation of reasoning outputs"


@dataclass(frozen=True, slots=True)
class Code:
    """The guide's programs by section, and the openai library's names."""

    programs: Mapping[str, str]
    openai: OpenAi | None


def observe(site: Site, stage: Stage) -> Code:
    """The guide's code and a recording of the openai library; nothing is run."""
    return Code({"§4.4": LOAD_TEST, "§5.1": PROVIDER, "§6.1": HEALTH_CHECK}, openai())


def _openai_name(name: str) -> str:
    """self.client.chat… -> openai.OpenAI.chat…; other names as they are."""
    return name.replace("self.client", CLIENT, 1).replace("client.chat", f"{CLIENT}.chat", 1)


def _use(name: str, keywords: tuple[str, ...], library: OpenAi) -> Part:
    """One name of the library as the code uses it."""
    known = library.names.get(name)
    right = f". Instead: {INSTEAD[name]}" if name in INSTEAD else ""
    if known is None:
        return check(name, None, "the recording lacks this name; record it again")
    if known.raises:
        return check(name, False, f"{known.raises}{right}", expected="can be called")
    if not known.there:
        return check(
            name,
            False,
            f"openai {library.version} has no such setting; it is set without effect{right}",
            expected="there",
        )
    strange = sorted(set(keywords) - set(known.parameters)) if keywords else []
    said = f"unknown: {', '.join(strange)}" if strange else "there" + (", with these parameters" if keywords else "")
    return check(name, not strange, said, expected="there", measured=", ".join(keywords))


def _parts(seen: Code, library: OpenAi) -> Iterator[Part]:
    for section, text in seen.programs.items():
        tree = ast.parse(text)
        used: dict[str, tuple[str, ...]] = {name: () for name in settings(tree) if name.startswith("openai.")}
        used |= {_openai_name(name): words for name, words in calls(tree) if _openai_name(name).startswith("openai.")}
        for name, keywords in used.items():
            part = _use(name, keywords, library)
            yield check(f"{section} {name}", {"PASS": True, "FAIL": False}.get(part.outcome), part.because)
        names = unbound(tree)
        said = f"NameError when it is reached: import {', '.join(names)}" if names else "every name is bound"
        yield check(f"{section} names", not names, said, expected="bound", measured=", ".join(names))
        if (read := attributes(tree)) & {"content"} and "completions" in read:
            kept = bool(read & {"reasoning", "reasoning_content"})
            said = (
                "the thinking is kept" if kept else "the thinking is lost. Instead: read `reasoning` beside `content`"
            )
            yield check(f"{section} reasoning", kept, said, expected="reasoning is read")


def judge(seen: Code, inventory: Inventory) -> Finding:
    """Each name that the programs take from openai, and the names that nobody bound."""
    if not applies(inventory):
        return not_applicable(inventory)
    if seen.openai is None:
        return unseen("no recording of the openai library", SOURCE, Provenance.MEASURED_ELSEWHERE)
    return finding(
        _parts(seen, seen.openai),
        expected=f"every name is in openai {seen.openai.version} or bound in the file, and the thinking is read",
        source=f"{SOURCE}; openai {seen.openai.version}",
        provenance=Provenance.MEASURED_ELSEWHERE,
    )


ASSUMPTION = Assumption(
    id="guide-client-code",
    guide="K2 Thinking guide §4.4, §5.1, §6.1",
    states="The guide's Python programs run with today's libraries, and return all that the model says.",
    stages=(Stage.PLAN,),
    severity=Severity.ADVISORY,
    remedy="Take serving/client.py of this repository, or openai.OpenAI(base_url=…) and read content and reasoning.",
    version=1,
    observe=observe,
    judge=judge,
)
