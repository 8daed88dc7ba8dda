"""Claim: `--dtype int4` is how INT4 is served.  The parser on the flag, and the running engine on what decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Provenance, Severity, Stage
from assumptions._guide import applies, finding, not_applicable, unseen
from assumptions._parts import check
from assumptions._served import engine_log
from assumptions._serving_flags import narrowed
from assumptions._serving_flags_log import configured
from inventories.schema import Inventory
from tasks.facts.engine_options import EngineOptions, recorded, versions
from tasks.site import Site

FLAG = ("--dtype", "int4")
SOURCE = "vLLM's own argument parser and the configuration that the running engine logs"
INSTEAD = "leave it out: quantization_config in config.json decides"


@dataclass(frozen=True, slots=True)
class Dtype:
    """The recorded parser of this version; what the running engine logs as its dtype and quantization."""

    options: EngineOptions | None
    dtype: str | None = None
    quantization: str | None = None
    staged: bool = False


def observe(site: Site, stage: Stage) -> Dtype:
    """The recording alone at PLAN; the log of the engine that runs afterwards."""
    inventory = site.inventory
    if not applies(inventory):
        return Dtype(None)
    known = narrowed(recorded(inventory.engine.kind, inventory.engine.version), (FLAG,))
    if stage is Stage.PLAN:
        return Dtype(known)
    log = engine_log(site, stage).text
    return Dtype(known, configured(log, "dtype"), configured(log, "quantization"), staged=True)


def _parts(seen: Dtype) -> Iterator[Part]:
    trial = seen.options.trials.get(FLAG) if seen.options else None
    name = " ".join(FLAG)
    if trial is None:
        yield check(name, None, "this version's parser was never asked", expected="taken")
    else:
        said = "taken" if trial.taken else f"{trial.said.split('error: ')[-1]}. Instead: {INSTEAD}"
        yield check(name, trial.taken, said, expected="taken", measured="taken" if trial.taken else "refused")
    if seen.staged:
        told = seen.dtype is not None and seen.quantization is not None
        said = f"without the flag: dtype {seen.dtype}, quantization {seen.quantization}" if told else "not logged"
        yield check("the engine that runs", True if told else None, said, expected="dtype and quantization logged")


def judge(seen: Dtype, inventory: Inventory) -> Finding:
    """The parser's answer to the flag; what the running engine took instead stands beside it."""
    if not applies(inventory):
        return not_applicable(inventory)
    if seen.options is None and not seen.staged:
        known = ", ".join(versions(inventory.engine.kind))
        why = f"no recording of vLLM {inventory.engine.version}'s parser (there are {known})"
        return unseen(why, SOURCE, Provenance.MEASURED_ELSEWHERE)
    return finding(
        _parts(seen),
        expected=f"`{' '.join(FLAG)}` is taken, as the guide's command line has it",
        source=SOURCE + (f"; version {seen.options.version}, {seen.options.how}" if seen.options else ""),
        provenance=Provenance.MEASURED_HERE if seen.staged else Provenance.MEASURED_ELSEWHERE,
        notes=("Whether the INT4 weights load without the flag is judged by int4-support.",),
    )


ASSUMPTION = Assumption(
    id="dtype-int4",
    guide="K2 Thinking guide §4.2",
    states="`--dtype int4` makes vLLM serve the INT4 weights.",
    stages=(Stage.PLAN, Stage.STAGING),
    severity=Severity.ADVISORY,
    remedy="Leave --dtype out: vLLM finds INT4 in the checkpoint's own config.json and computes in bfloat16.",
    version=1,
    observe=observe,
    judge=judge,
)
