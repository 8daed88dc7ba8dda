"""Claim: each host has the memory that was ordered, and may use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import GIB, attempt, each, finding, smallest, unread
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.memory import Memory, MemoryFact, MemoryLimit, MemoryLimitFact
from tasks.facts.reading import Reading
from tasks.site import Site

# Firmware and kernel keep some of what is built in: AzNHC, too, takes 3 % less than nominal for the whole.
TOLERANCE = 0.03
SOURCE = "the inventory's ram_gib, less 3 % for firmware and kernel (Azure/azurehpc-health-checks check_hw_physmem: 3%)"


@dataclass(frozen=True, slots=True)
class Ram:
    """The host's memory, and the limit of our control group, which the engine's process has too."""

    memory: Reading[Memory]
    limit: Reading[MemoryLimit]


def observe(site: Site, stage: Stage) -> dict[str, Ram]:
    """Ask the kernel of every host."""
    return each(
        site,
        site.inventory.hosts,
        lambda host, _: Ram(attempt(host, MemoryFact()), attempt(host, MemoryLimitFact())),
    )


def _parts(spec: HostSpec, seen: Ram) -> Iterator[Part]:
    least = spec.ram_gib * (1 - TOLERANCE)
    expected = f">= {least:.1f} GiB"
    if seen.memory.value is None:
        yield unread(f"{spec.name}: RAM", seen.memory, expected=expected)
    else:
        total = seen.memory.value.total_bytes / GIB
        said = f"{total:.1f} GiB, {spec.ram_gib:g} were ordered"
        yield check(f"{spec.name}: RAM", total >= least, said, expected=expected, measured=f"{total:.1f} GiB")
    if seen.limit.value is None:
        yield unread(f"{spec.name}: limit", seen.limit, expected=expected)
    else:
        limit = seen.limit.value.limit_bytes
        known = None if limit is None else limit / GIB
        said = "no limit" if known is None else f"its control group may use {known:.1f} GiB"
        yield check(f"{spec.name}: limit", known is None or known >= least, said, expected=expected, measured=said)


def judge(seen: Mapping[str, Ram], inventory: Inventory) -> Finding:
    """What is there and may be used, against the order; the plan's memory sums rest on it."""
    totals = {name: ram.memory.value.total_bytes / GIB if ram.memory.value else None for name, ram in seen.items()}
    least = smallest(totals)
    return finding(
        (part for spec in inventory.hosts for part in _parts(spec, seen[spec.name])),
        good=f"{least:.1f} GiB or more on every host, as ordered" if least is not None else "",
        expected="; ".join(f"{spec.name}: {spec.ram_gib:g} GiB" for spec in inventory.hosts),
        source=SOURCE,
        value=round(least, 2) if least is not None else None,
        unit="GiB on the smallest host",
    )


ASSUMPTION = Assumption(
    id="system-ram",
    guide="K2 Thinking guide §2.2",
    states="Every host has the memory that was ordered, and a process of ours may use it.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="Ask the vendor for the missing modules, lift the control group's limit, or write the real ram_gib into the "
    "inventory and plan again: offloading and /dev/shm were planned with it.",
    version=1,
    observe=observe,
    judge=judge,
    depends_on=("machine", "kernel"),
)
