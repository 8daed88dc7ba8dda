"""Claim: the guide's vLLM command lines start a server.  Each flag is given to the engine's own parser."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._guide import applies, finding, flags, not_applicable, parsed, unseen
from assumptions._guide_text import COMPOSE, MANIFEST, OOM_ADVICE
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.engine_python import engine_python
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.engine_options import EngineOptions, EngineOptionsFact, Trial, Words, recorded, versions
from tasks.site import Site

INSTEAD = {  # what to write where the parser refuses
    "--dtype": "leave it out: config.json's quantization_config decides (or bfloat16)",
    "--disable-log-requests": "leave it out: requests are not logged unless --enable-log-requests is given",
}
SOURCE = "vLLM's own argument parser"


def compose_words() -> Words:
    """What the Compose file gives to the image, whose entry point is `vllm serve`."""
    (service,) = parsed(COMPOSE)["services"].values()
    return tuple(shlex.split(service["command"]))


def manifest_words() -> Words:
    """What the Kubernetes manifest runs."""
    (container,) = parsed(MANIFEST)["spec"]["template"]["spec"]["containers"]
    return tuple(container["command"])


def trials() -> tuple[Words, ...]:
    """Every flag of the guide once, and its advice for an out-of-memory error."""
    return tuple(dict.fromkeys((*flags(compose_words()), *flags(manifest_words()), OOM_ADVICE)))


@dataclass(frozen=True, slots=True)
class Parser:
    """What the engine's parser takes, and whether it was asked on the host; None: nothing is known of this version.

    `installed` is the package found on the host where a recording of that very package stands for asking it again.
    """

    options: EngineOptions | None
    asked: bool
    refusals: Mapping[Words, tuple[str, ...]] = field(default_factory=dict)  # recorded versions that refuse a flag
    installed: str = ""


def observe(site: Site, stage: Stage) -> Parser:
    """A recording of this engine version at PLAN; the installed engine's own parser afterwards.

    Asking takes 20 s, so a recording of the very package that is installed is taken for it.
    """
    inventory = site.inventory
    if not applies(inventory):
        return Parser(None, False)
    kind, known = engine(inventory.engine.kind), recorded(inventory.engine.kind, inventory.engine.version)
    if stage is Stage.PLAN:
        return Parser(known, False, _refusals(inventory))
    host = site.host(site.head.name)
    package = look(host, kind.installed(inventory, site.head))
    if known is not None and f"installed {package}," in f"{known.how},":
        return Parser(known, False, _refusals(inventory), package)
    fact = EngineOptionsFact(engine_python(inventory, site.head), trials())
    return Parser(look(host, fact, timeout=300), True, _refusals(inventory))


def _refusals(inventory: Inventory) -> dict[Words, tuple[str, ...]]:
    """Which recorded versions refuse each of the guide's flags."""
    kind = inventory.engine.kind
    known = {version: recorded(kind, version) for version in versions(kind)}
    return {
        words: tuple(v for v, options in known.items() if options and not options.trials[words].taken)
        for words in trials()
        if all(options is None or words in options.trials for options in known.values())
    }


def _part(words: Words, trial: Trial | None, refused: tuple[str, ...]) -> Part:
    name = " ".join(words)
    if trial is None:
        return check(name, None, "the recording lacks these words; record it again", expected="taken")
    if trial.taken:
        said = f"taken, with a warning: {trial.said}" if trial.said else "taken as it is"
        if refused:
            instead = INSTEAD.get(words[0], "leave it out")
            said = f"taken by this version, refused by {', '.join(refused)}. Instead: {instead}"
        return check(name, True, said, expected="taken", measured="taken")
    said = f"{trial.said.split('error: ')[-1]}. Instead: {INSTEAD.get(words[0], 'leave it out')}"
    return check(name, False, said, expected="taken", measured="refused")


def _parts(seen: Parser, options: EngineOptions) -> Iterator[Part]:
    words = manifest_words()
    module = words[words.index("-m") + 1]
    there = module in options.modules
    said = f"{options.modules.get(module) or 'there'}; `vllm serve MODEL` is the form to use" if there else "gone"
    yield check(f"python -m {module}", there, said, expected="can be run")
    for each in trials():
        yield _part(each, options.trials.get(each), seen.refusals.get(each, ()))


def judge(seen: Parser, inventory: Inventory) -> Finding:
    """Each line as the parser took it; UNKNOWN where no parser of this version was ever asked."""
    if not applies(inventory):
        return not_applicable(inventory)
    provenance = Provenance.MEASURED_HERE if seen.asked else Provenance.MEASURED_ELSEWHERE
    version = inventory.engine.version
    if seen.options is None:
        known = ", ".join(versions(inventory.engine.kind))
        why = f"no recording of vLLM {version}'s parser (there are {known}); install it, or record it"
        return unseen(why, SOURCE, provenance)
    options = seen.options
    here = (f"{seen.installed} is what is installed here; the recording was taken from that package.",)
    return finding(
        _parts(seen, options),
        expected=f"vLLM {version} takes every flag of the guide's two command lines",
        source=f"{SOURCE}, version {options.version}: {options.how}",
        provenance=provenance,
        notes=(
            "That a flag is taken does not mean that the model fits with it: see memory-fit.",
            *(here if seen.installed else ()),
        ),
    )


ASSUMPTION = Assumption(
    id="guide-serving-flags",
    guide="K2 Thinking guide §4.2, §7.1",
    states="vLLM takes every flag of the guide's Docker and Kubernetes command lines.",
    stages=(Stage.PLAN, Stage.HOST),
    severity=Severity.ADVISORY,
    remedy="Don't start vLLM with the guide's command line; Beachhead's own flags are in the plan, each with its "
    "reason. For an unknown version record its parser (tasks/engines/recorded/README.md).",
    version=1,
    observe=observe,
    judge=judge,
)
