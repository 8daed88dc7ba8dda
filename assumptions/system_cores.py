"""Claim: each host has the processor cores that were ordered, and a GPU host those of the guide's table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, skipped, smallest, unread
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.processor import Processor, ProcessorFact
from tasks.facts.reading import Reading
from tasks.site import Site

MINIMUM_CORES, RECOMMENDED_CORES = 32, 64  # K2 Thinking guide §2.2, row CPU
SOURCE = "the inventory's cpu_cores; K2 Thinking guide §2.2, row CPU"


def observe(site: Site, stage: Stage) -> dict[str, Reading[Processor]]:
    """Ask the kernel of every host."""
    return each(site, site.inventory.hosts, lambda host, _: attempt(host, ProcessorFact()))


def _part(name: str, least: int, found: Processor) -> Part:
    """Threads alone may be what a vendor counts as cores: that is not for us to say."""
    told = f"{found.cores} cores, {found.logical} threads"
    holds = True if found.cores >= least else None if found.logical >= least else False
    said = told if holds is not None else f"{told}: enough only if the {least} are threads"
    return check(name, holds, said, expected=f">= {least} cores", measured=told)


def _parts(spec: HostSpec, found: Reading[Processor]) -> Iterator[Part]:
    if found.value is None:
        yield unread(f"{spec.name}: cores", found, expected=f">= {spec.cpu_cores}")
        return
    yield _part(f"{spec.name}: ordered", spec.cpu_cores, found.value)
    if spec.gpus:
        yield _part(f"{spec.name}: guide", MINIMUM_CORES, found.value)
    else:
        yield skipped(f"{spec.name}: guide", "the guide's table is for hosts with GPUs")


def judge(seen: Mapping[str, Reading[Processor]], inventory: Inventory) -> Finding:
    """Cores against the order and the guide, the stricter of which decides."""
    least = smallest({name: float(found.value.cores) if found.value else None for name, found in seen.items()})
    return finding(
        (part for spec in inventory.hosts for part in _parts(spec, seen[spec.name])),
        good=f"{least:g} cores or more on every host" if least is not None else "",
        expected=f"the ordered cores; on a GPU host >= {MINIMUM_CORES} ({RECOMMENDED_CORES} recommended)",
        source=SOURCE,
        value=least,
        unit="cores on the smallest host",
    )


ASSUMPTION = Assumption(
    id="system-cores",
    guide="K2 Thinking guide §2.2",
    states="Every host has the processor cores that were ordered, and a GPU host 32 or more.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy="Fewer cores slow tokenising and loading, and stop nothing: order by measured need, or mend cpu_cores.",
    version=1,
    observe=observe,
    judge=judge,
    depends_on=("machine", "kernel"),
)
