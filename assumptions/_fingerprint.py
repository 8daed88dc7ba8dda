"""What an answer was found on, and which change of it voids the answer.

A part that could not be read is missing, and what depends on it is void: nobody can say that it is still the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from assumptions._core import Evidence, Stage
from assumptions._registry import Claim, at
from inventories.errors import Problem
from tasks.engines.base import engine
from tasks.facts.base import look
from tasks.facts.gpu import GpuFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.facts.machine_id import MachineIdFact
from tasks.facts.text_file import TextFile
from tasks.hosts import Unreachable
from tasks.releases import wanted
from tasks.site import Site

MACHINE, KERNEL, DRIVER, GPU = "machine", "kernel", "driver", "gpu"
ENGINE, MODEL, FLAGS = "engine", "model", "flags"
HARDWARE = (MACHINE, KERNEL, DRIVER, GPU)
EVERYTHING = (*HARDWARE, ENGINE, MODEL, FLAGS)
NO_GPU = "none ordered"
LOCK_MARKER = ".beachhead-lock"  # the digest of the lock that an environment was made from (PythonEnvironment)
DEPENDS: Mapping[Stage, tuple[str, ...]] = {
    Stage.PLAN: (MODEL,),
    Stage.HOST: HARDWARE,
    Stage.WEIGHTS: (MACHINE, MODEL),
    Stage.STAGING: EVERYTHING,
    Stage.LIVE: EVERYTHING,
}
DAYS: Mapping[Stage, int] = {
    Stage.PLAN: 90,  # prices and catalogs age, arithmetic doesn't
    Stage.HOST: 30,
    Stage.WEIGHTS: 30,
    Stage.STAGING: 30,
    Stage.LIVE: 30,
}


def depends_on(claim: Claim, stage: Stage) -> tuple[str, ...]:
    """The parts of the fingerprint that the claim's answer at `stage` rests on."""
    return DEPENDS[stage] if claim.depends_on is None else claim.depends_on


def expires(claim: Claim, stage: Stage, at: datetime) -> datetime:
    """When the answer is too old to rest on."""
    return at + timedelta(days=DAYS[stage] if claim.days is None else claim.days)


def fingerprint(site: Site, stage: Stage) -> dict[str, str]:
    """The environment as it is now, as far as a claim of `stage` rests on it; at PLAN no host is asked."""
    pinned = site.inventory.model
    declared: dict[str, Callable[[], str]] = {MODEL: lambda: f"{pinned.catalog}@{pinned.revision or 'not pinned'}"}
    rested_on = {*DEPENDS[stage], *(part for claim in at(stage) for part in depends_on(claim, stage))}
    questions = declared if stage is Stage.PLAN else {**declared, **_asked(site)}
    asked = {part: ask for part, ask in questions.items() if part in rested_on}
    found: dict[str, str] = {}
    for part, ask in asked.items():
        try:
            found[part] = site.redactor.text(ask())
        except Unreachable:
            break  # the other questions would wait as long
        except Problem:
            continue
    return found


def _asked(site: Site) -> dict[str, Callable[[], str]]:
    head, kind = site.head, engine(site.inventory.engine.kind)
    container = site.inventory.serving.container
    cards = [spec.name for spec in site.specs if spec.gpus]

    def served() -> str:
        installed = look(site.host(head.name), kind.installed(site.inventory, head))
        folder = kind.python(site.inventory, head).removesuffix("/bin/python")
        locked = look(site.host(head.name), TextFile(f"{folder}/{LOCK_MARKER}"))
        return f"{kind.describe(site.inventory)}: {installed}, lock {(locked or 'none').strip()}"

    def on_cards(see: Callable[[str], str]) -> str:
        return _each(cards, see) if cards else NO_GPU

    return {
        MACHINE: lambda: _each([s.name for s in site.specs], lambda name: look(site.host(name), MachineIdFact())),
        KERNEL: lambda: _each([s.name for s in site.specs], lambda name: site.look_around(name).kernel),
        DRIVER: lambda: on_cards(lambda name: look(site.host(name), GpuDriverFact()).module or "not loaded"),
        GPU: lambda: on_cards(lambda name: " ".join(sorted(g.uuid for g in look(site.host(name), GpuFact())))),
        ENGINE: served if container is None else lambda: container.image,
        FLAGS: lambda: wanted(site.inventory, head).id,
    }


def _each(names: list[str], see: Callable[[str], str]) -> str:
    return "; ".join(f"{name}: {see(name)}" for name in names)


def changed(record: Evidence, now: Mapping[str, str]) -> tuple[str, ...]:
    """The parts of the environment that this record rests on and that are no more the same, or can't be told."""
    then = record.fingerprint
    return tuple(part for part in record.depends_on if part not in then or then[part] != now.get(part))
