"""Claim: the engine takes every flag that we start it with, and the running one has them in effect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._guide import applies, finding, not_applicable, unseen
from assumptions._parts import check
from assumptions._served import engine_log, slot
from assumptions._serving_flags import grouped, narrowed, taken
from assumptions._serving_flags_log import in_effect, logged_arguments, telling
from inventories.schema import Inventory
from tasks.engine_python import engine_python
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.engine_options import EngineOptions, Words, recorded
from tasks.facts.engine_probe import EngineProbe, Probed
from tasks.releases import wanted
from tasks.site import Site

SOURCE = "the engine's own argument parser, and the arguments that the running engine logs"


@dataclass(frozen=True, slots=True)
class Flags:
    """Our flags; the recorded parser of this version, the host's own answer, the running engine's words: what there is.

    `package` is what is installed where the recording was taken from that very package.
    """

    given: tuple[Words, ...]
    options: EngineOptions | None
    package: str = ""
    asked: Probed | None = None
    log: str | None = None


def observe(site: Site, stage: Stage) -> Flags:
    """Before the start the parser: recorded from the installed package, else asked there; afterwards the log."""
    inventory, head = site.inventory, site.head
    if not applies(inventory):
        return Flags((), None)
    release, known = wanted(inventory, head), recorded(inventory.engine.kind, inventory.engine.version)
    if stage is not Stage.HOST:
        given = grouped(release.arguments, slot(site, stage).port)
        return Flags(given, narrowed(known, given), log=telling(engine_log(site, stage).text))
    given = grouped(release.arguments, inventory.serving.slots[0])
    table = narrowed(known, given)
    if inventory.serving.runtime != "process":
        return Flags(given, table)
    kind = engine(inventory.engine.kind)
    package = look(site.host(head.name), kind.installed(inventory, head))
    if known is not None and f"installed {package}," in f"{known.how},":
        return Flags(given, table, package)
    words = tuple(word for flag in given if flag[0] != "--model" for word in flag)
    probe = EngineProbe(engine_python(inventory, head), "flags", release.model_dir, words)
    return Flags(given, table, asked=look(site.host(head.name), probe, timeout=300))


def _parts(seen: Flags) -> Iterator[Part]:
    if seen.log is not None:
        yield from in_effect(seen.options, seen.given, seen.log)
    elif seen.asked is not None:
        said = seen.asked.message or f"vLLM {seen.asked.version} takes all {len(seen.given)} flags"
        yield check("the host's parser", seen.asked.accepted, said, expected="taken")
    elif seen.options is not None:
        yield from taken(seen.options, seen.given)


def _notes(seen: Flags) -> Iterator[str]:
    if seen.package:
        yield f"{seen.package} is what is installed here; the recording was taken from that package."
    known = {words[0].removeprefix("--").replace("-", "_") for words in seen.given}
    others = sorted(set(logged_arguments(seen.log or "") or ()) - known)
    if others:
        yield f"The engine also logs as not at their default: {', '.join(others)}."


def judge(seen: Flags, inventory: Inventory) -> Finding:
    """Every flag taken by the parser before the start, and logged with our value by the engine that runs."""
    if not applies(inventory):
        return not_applicable(inventory)
    if seen.log is None and seen.asked is None and seen.options is None:
        why = f"nothing is recorded of vLLM {inventory.engine.version}, and the image's parser was not asked"
        return unseen(why, SOURCE, Provenance.MEASURED_ELSEWHERE)
    here = seen.log is not None or seen.asked is not None
    return finding(
        _parts(seen),
        expected=f"{len(seen.given)} flags taken" + (" and in effect" if seen.log is not None else ""),
        source=SOURCE if here or seen.options is None else f"{SOURCE}; version {seen.options.version}, recorded",
        provenance=Provenance.MEASURED_HERE if here else Provenance.MEASURED_ELSEWHERE,
        notes=tuple(_notes(seen)),
    )


ASSUMPTION = Assumption(
    id="serving-flags-accepted",
    guide="K2 Thinking guide §4.2",
    states="The engine takes every flag it is started with, and each is in effect in the engine that runs.",
    stages=(Stage.HOST, Stage.STAGING),
    severity=Severity.BLOCKING,
    remedy="Correct the option in the inventory's engine.options that the part names; for an engine version whose "
    "parser differs write its flag in tasks/engines, or choose a version that is recorded there.",
    version=1,
    observe=observe,
    judge=judge,
)
