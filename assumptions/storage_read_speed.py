"""Claim: the disk of the models is read fast enough to load the weights within the start budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, smallest
from assumptions._parts import check
from inventories.figures import model
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from inventories.serving import START_TARGET_S
from tasks.facts.disk_read import DiskRead, DiskReadFact, FioReadFact
from tasks.facts.largest_file import FoundFile, LargestFileFact
from tasks.facts.reading import Reading
from tasks.hosts import Host
from tasks.site import Site

AT_LEAST_MIB, MOST_MIB = 64, 512  # of one file: enough to measure, and over in seconds
FIO_SECONDS, LONGEST_S = 3, 20
SOURCE = "checkpoint size of the catalog / its start_budget_s, else 1800 s: reading alone must not use that up"


@dataclass(frozen=True, slots=True)
class Speed:
    """The file that was read; `many` with 32 requests at a time (fio), `one` with a single one (dd): a floor."""

    file: Reading[FoundFile | None]
    many: Reading[DiskRead]
    one: Reading[DiskRead]


def observe(site: Site, stage: Stage) -> dict[str, Speed]:
    """Read the largest file below each host's root, past the cache; nothing is written."""

    def see(host: Host, spec: HostSpec) -> Speed:
        nothing: Reading[DiskRead] = Reading(None, "no file to read")
        file = attempt(host, LargestFileFact(f"{spec.root}/models", AT_LEAST_MIB))
        if file.value is None:
            file = attempt(host, LargestFileFact(spec.root, AT_LEAST_MIB))
        if file.value is None:
            return Speed(file, nothing, nothing)
        many = attempt(host, FioReadFact(file.value.path, FIO_SECONDS), timeout=LONGEST_S)
        if many.value is not None:
            return Speed(file, many, Reading(None, "not asked: fio answered"))
        mib = min(MOST_MIB, file.value.size_bytes >> 20)
        return Speed(file, many, attempt(host, DiskReadFact(file.value.path, mib), timeout=LONGEST_S))

    return each(site, site.inventory.hosts, see)


def allowed(inventory: Inventory) -> int:
    """Seconds: the declared budget; a computed one follows from the disk, so half an hour stands in its place."""
    return inventory.serving.start_budget_s or START_TARGET_S


def needed(inventory: Inventory) -> float:
    """Bytes a second at which the weights take the whole start budget."""
    return model(inventory.model.catalog).checkpoint_bytes.value / allowed(inventory)


def _part(host: str, seen: Speed, least: float) -> Part:
    name, expected = f"{host}: read", f">= {least / 1e6:.2f} MB/s"
    if seen.file.value is None:
        why = seen.file.why_not or f"no file of {AT_LEAST_MIB} MiB lies there yet; judge again after the fetch"
        return check(name, None, why, expected=expected)
    found = seen.many.value or seen.one.value
    if found is None:
        return check(name, None, f"{seen.file.value.path}: {seen.one.why_not}", expected=expected)
    rate = found.bytes_per_second
    how = "32 requests at a time" if seen.many.value else "one request at a time, so the disk can do more"
    holds = True if rate >= least else None if seen.many.value is None else False
    said = f"{rate / 1e6:.0f} MB/s, {how}" + (": install fio to measure the rest" if holds is None else "")
    return check(name, holds, said, expected=expected, measured=f"{rate / 1e6:.0f} MB/s")


def judge(seen: Mapping[str, Speed], inventory: Inventory) -> Finding:
    """Measured rate against weights / budget; a single reader's rate is a floor and fails nothing."""
    least = needed(inventory)
    rates = {
        name: found.bytes_per_second / 1e6 if (found := speed.many.value or speed.one.value) else None
        for name, speed in seen.items()
    }
    slowest = smallest(rates)
    seconds = model(inventory.model.catalog).checkpoint_bytes.value / (slowest * 1e6) if slowest else 0.0
    return finding(
        (_part(host, speed, least) for host, speed in seen.items()),
        good=f"{slowest or 0:.0f} MB/s: the weights are read in {seconds:.0f} of {allowed(inventory)} s",
        expected=f">= {least / 1e6:.2f} MB/s",
        source=SOURCE,
        value=round(slowest, 1) if slowest else None,
        unit="MB/s on the slowest host",
        samples=1 if slowest else None,
        limit=least / 1e6,
        notes=("The start itself, at the stage staging, is what decides; this tells beforehand.",),
    )


ASSUMPTION = Assumption(
    id="storage-read-speed",
    guide="K2 Thinking guide §2.2",
    states="The disk of the models is fast enough to load the weights within the start budget.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy="Put the models on the NVMe disk, or raise serving.start_budget_s; install fio to measure with more than "
    "one request at a time.",
    version=1,
    observe=observe,
    judge=judge,
    depends_on=("machine", "kernel"),
)
