"""cuDNN and NCCL: the copy that the engine brings, and those of the operating system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Finding, Outcome, Part
from assumptions._host import attempt, dotted, each, finding, gpu_hosts, no_gpus, numbers
from assumptions._host_cuda import SOURCE
from assumptions._parts import check
from inventories.errors import Problem
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.engine_python import engine_python
from tasks.facts.library_headers import LibraryHeader, LibraryHeaderFact
from tasks.facts.packages import InstalledPackage
from tasks.facts.reading import Reading
from tasks.facts.system_packages import SystemPackage, SystemPackageFact
from tasks.hosts import Host
from tasks.site import Site


@dataclass(frozen=True, slots=True)
class Copies:
    """What was found of one library on one host, by where it lies."""

    engine: Reading[str]  # "nvidia-nccl-cu13 2.28.3"
    packages: Reading[tuple[SystemPackage, ...]]
    headers: Reading[tuple[LibraryHeader, ...]]

    def versions(self) -> Iterator[tuple[str, str]]:
        """Place and version of each copy."""
        if self.engine.value is not None:
            name, _, version = self.engine.value.partition(" ")
            yield f"the engine's {name}", version
        for package in self.packages.value or ():
            yield package.name, package.version
        for header in self.headers.value or ():
            yield header.path, header.version


def copies(site: Site, header: str, wheels: tuple[str, ...], packages: tuple[str, ...]) -> dict[str, Copies]:
    """The Copies on each host with GPUs; `wheels` are the Python packages that bring the library."""

    def see(host: Host, spec: HostSpec) -> Copies:
        return Copies(
            _of_engine(site.inventory, host, spec, wheels),
            attempt(host, SystemPackageFact(packages)),
            attempt(host, LibraryHeaderFact(header)),
        )

    return each(site, gpu_hosts(site.inventory), see)


def _of_engine(inventory: Inventory, host: Host, spec: HostSpec, wheels: tuple[str, ...]) -> Reading[str]:
    try:
        python = engine_python(inventory, spec)
    except Problem as problem:
        return Reading(None, problem.what)
    return attempt(host, InstalledPackage(python, wheels))


def judged(name: str, least: tuple[int, int], seen: Mapping[str, Copies], inventory: Inventory) -> Finding:
    """Every copy that is there is new enough; UNKNOWN where no copy was found, since an image may bring its own."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    parts = [part for host, found in seen.items() for part in _parts(host, name, least, found)]
    passed = [part for part in parts if part.outcome is Outcome.PASS]
    return finding(
        parts,
        good=f"{name} {passed[0].measured if passed else ''} and every other copy is {dotted(least)} or later",
        expected=f">= {dotted(least)}",
        source=SOURCE,
        notes=("vLLM's wheels bring their own copy with them; that one is loaded, whatever the system has.",),
    )


def _parts(host: str, name: str, least: tuple[int, int], found: Copies) -> Iterator[Part]:
    there = list(found.versions())
    for place, version in there:
        known = numbers(version)
        holds = known >= least if known else None
        said = f"{version}" if known else f"{version!r} is no version"
        yield check(f"{host}: {place}", holds, said, expected=f">= {dotted(least)}", measured=version)
    if not there:
        why = "; ".join(
            f"{where}: {' '.join(reading.why_not.split())[:90] or 'none'}"
            for where, reading in (("engine", found.engine), ("packages", found.packages), ("headers", found.headers))
        )
        yield check(f"{host}: {name}", None, f"no copy was found ({why})", expected=f">= {dotted(least)}")
