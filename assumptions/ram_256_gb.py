"""Claim: each GPU host has at least the memory of the guide's table."""

from __future__ import annotations

from collections.abc import Mapping

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import GIB, attempt, each, finding, gpu_hosts, no_gpus, smallest, unread
from assumptions._parts import check
from assumptions.system_ram import TOLERANCE
from inventories.schema import Inventory
from tasks.facts.memory import Memory, MemoryFact
from tasks.facts.reading import Reading
from tasks.site import Site

MINIMUM_GIB, RECOMMENDED_GIB = 256, 512  # K2 Thinking guide §2.2, row RAM; it writes GB, memory is sold in GiB
SOURCE = "K2 Thinking guide §2.2, row RAM, less 3 % for firmware and kernel"


def observe(site: Site, stage: Stage) -> dict[str, Reading[Memory]]:
    """Ask the kernel of every host with GPUs."""
    return each(site, gpu_hosts(site.inventory), lambda host, _: attempt(host, MemoryFact()))


def _part(host: str, found: Reading[Memory]) -> Part:
    least = MINIMUM_GIB * (1 - TOLERANCE)
    if found.value is None:
        return unread(f"{host}: RAM", found, expected=f">= {least:.1f} GiB")
    total = found.value.total_bytes / GIB
    tier = "the recommended tier" if total >= RECOMMENDED_GIB * (1 - TOLERANCE) else f"{RECOMMENDED_GIB} recommended"
    said = f"{total:.1f} GiB; {MINIMUM_GIB} is the guide's minimum, {tier}"
    return check(f"{host}: RAM", total >= least, said, expected=f">= {least:.1f} GiB", measured=f"{total:.1f} GiB")


def judge(seen: Mapping[str, Reading[Memory]], inventory: Inventory) -> Finding:
    """Total memory against the guide's minimum."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    least = smallest({name: found.value.total_bytes / GIB if found.value else None for name, found in seen.items()})
    return finding(
        (_part(host, found) for host, found in seen.items()),
        good=f"{least:.1f} GiB or more on every host" if least is not None else "",
        expected=f">= {MINIMUM_GIB} GiB ({RECOMMENDED_GIB} recommended)",
        source=SOURCE,
        value=round(least, 2) if least is not None else None,
        unit="GiB on the smallest host",
        limit=float(MINIMUM_GIB),
        notes=("The guide asks for it as room for weights that do not fit; memory-fit says what is really needed.",),
    )


ASSUMPTION = Assumption(
    id="ram-256-gb",
    guide="K2 Thinking guide §2.2",
    states="A host with 256 GB of memory or more serves the model.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy="Less than the guide's minimum is enough where the weights fit on the GPUs: see memory-fit and system-ram.",
    version=1,
    observe=observe,
    judge=judge,
    depends_on=("machine", "kernel"),
)
