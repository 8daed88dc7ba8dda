"""What the claims about hosts share: looking at each host, and turning parts into a finding.

A fact that can't be read is a Reading with the reason, so that one silent command hides nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from assumptions._core import Finding, Outcome, Part, Provenance, Sense
from assumptions._parts import check, worst
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.base import Fact, look
from tasks.facts.reading import Reading
from tasks.hosts import CommandFailed, Host, HostError
from tasks.site import Site

T = TypeVar("T")
GIB = 1024**3
LONGEST = 220  # characters of a reason
FLEET = 16  # hosts looked at at once


def gpu_hosts(inventory: Inventory) -> tuple[HostSpec, ...]:
    """The hosts that were ordered with GPUs."""
    return tuple(host for host in inventory.hosts if host.gpus)


def attempt(host: Host, fact: Fact[T], *, timeout: float = 60) -> Reading[T]:
    """The fact's value, or why there is none."""
    return tried(lambda: look(host, fact, timeout=timeout))


def tried(seeing: Callable[[], T]) -> Reading[T]:
    """What `seeing` gives, or the host's reason for giving nothing."""
    try:
        return Reading(seeing())
    except CommandFailed as failed:
        said = failed.ran.stderr.strip() or failed.ran.stdout.strip() or f"exit status {failed.ran.exit}"
        return Reading(None, said[:LONGEST])
    except HostError as error:
        return Reading(None, error.what[:LONGEST])


def each(site: Site, specs: Sequence[HostSpec], see: Callable[[Host, HostSpec], T]) -> dict[str, T]:
    """What `see` finds on each host, by name; hosts are looked at side by side, each in its own order."""

    def one(spec: HostSpec) -> T:
        return see(site.host(spec.name), spec)

    if len(specs) < 2:
        return {spec.name: one(spec) for spec in specs}
    with ThreadPoolExecutor(min(FLEET, len(specs))) as pool:
        asked = [(spec.name, pool.submit(copy_context().run, one, spec)) for spec in specs]
        return {name: found.result() for name, found in asked}


def unread(name: str, reading: Reading[T], *, expected: object = "") -> Part:
    """UNKNOWN, with the tool's own words."""
    return check(name, None, f"could not be read: {' '.join(reading.why_not.split())}", expected=expected)


def skipped(name: str, because: str) -> Part:
    """NOT_APPLICABLE, with the reason."""
    return Part(name, Outcome.NOT_APPLICABLE, because)


def no_gpus(inventory: Inventory, source: str) -> Finding:
    """NOT_APPLICABLE: the inventory orders no GPU."""
    return Finding(
        outcome=Outcome.NOT_APPLICABLE,
        because="no host of this inventory has a GPU",
        expected="a host with GPUs",
        measured=f"{len(inventory.hosts)} without",
        threshold="",
        threshold_source=source,
        provenance=Provenance.MEASURED_HERE,
    )


def finding(
    parts: Iterable[Part],
    *,
    good: str,
    expected: str,
    source: str,
    threshold: str = "",
    value: float | None = None,
    unit: str = "",
    notes: Sequence[str] = (),
    provenance: Provenance = Provenance.MEASURED_HERE,
    limit: float | None = None,
    sense: Sense = Sense.LEAST,
    samples: int | None = None,
) -> Finding:
    """The worst part's outcome; `good` is what is said when all hold."""
    parts = tuple(parts)
    outcome = worst(parts)
    telling = [part for part in parts if part.outcome is outcome]
    said = good
    if outcome is not Outcome.PASS:
        said = f"{telling[0].name}: {telling[0].because}" if telling else "nothing was looked at"
        said += f" (and {len(telling) - 1} more)" if len(telling) > 1 and outcome is not Outcome.NOT_APPLICABLE else ""
    measured = [f"{part.name}: {part.measured}" for part in telling if part.measured]
    return Finding(
        outcome=outcome,
        because=said if len(said) <= LONGEST else said[: LONGEST - 1] + "…",
        expected=expected,
        measured="; ".join(measured[:8]) + (f"; and {len(measured) - 8} more" if len(measured) > 8 else ""),
        threshold=threshold or expected,
        threshold_source=source,
        provenance=provenance,
        value=value,
        unit=unit,
        parts=parts,
        notes=tuple(notes),
        limit=limit,
        sense=sense,
        samples=samples,
    )


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: "1:2.27.7-1+cuda13.0" -> (2, 27, 7)."""
    bare = version.rpartition(":")[2].partition("-")[0].partition("+")[0]
    parts = bare.split(".")
    return tuple(int(part) for part in parts if part.isdecimal())


def dotted(version: Sequence[int]) -> str:
    """(12, 1) -> "12.1"."""
    return ".".join(map(str, version))


def smallest(values: Mapping[str, float | None]) -> float | None:
    """The least of the known values; None where none is known."""
    return min((value for value in values.values() if value is not None), default=None)
