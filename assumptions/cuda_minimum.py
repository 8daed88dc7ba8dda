"""Claim: the driver supports the CUDA that the guide asks for and that this engine is built for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, dotted, each, finding, gpu_hosts, no_gpus, numbers, unread
from assumptions._host_cuda import GUIDE_CUDA, SOURCE, forward_cuda, least_cuda
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.cuda_toolkit import CudaToolkit, CudaToolkitFact
from tasks.facts.gpu_cuda import DriverCudaFact
from tasks.facts.reading import Reading
from tasks.facts.system_packages import SystemPackage, SystemPackageFact
from tasks.hosts import Host
from tasks.site import Site

FORWARD = ("cuda-compat-*",)


@dataclass(frozen=True, slots=True)
class Cuda:
    """What the driver supports, and the toolkits on disk, which the engine does not need."""

    driver: Reading[str]
    toolkits: Reading[tuple[CudaToolkit, ...]]
    forward: Reading[tuple[SystemPackage, ...]]  # the forward-compatibility libraries


def observe(site: Site, stage: Stage) -> dict[str, Cuda]:
    """Ask nvidia-smi, look below /usr/local, and ask for the libraries that run a newer CUDA on an older driver."""

    def see(host: Host, _: HostSpec) -> Cuda:
        return Cuda(
            attempt(host, DriverCudaFact()), attempt(host, CudaToolkitFact()), attempt(host, SystemPackageFact(FORWARD))
        )

    return each(site, gpu_hosts(site.inventory), see)


def _forward(host: str, found: Cuda, cuda: str) -> Part:
    """An older driver is declared: the libraries of this CUDA must be there; the engine is told to use them."""
    name, wanted = f"{host}: CUDA {cuda} on an older driver", f"cuda-compat-{cuda.replace('.', '-')}"
    if found.forward.value is None:
        return unread(name, found.forward, expected=wanted)
    there = any(package.name == wanted and package.complete for package in found.forward.value)
    return check(name, there, f"{wanted} is {'' if there else 'not '}installed", expected=wanted)


def _part(host: str, found: Cuda, least: tuple[int, int], forward: str | None) -> Part:
    if forward is not None:
        return _forward(host, found, forward)
    if found.driver.value is None:
        return unread(f"{host}: CUDA", found.driver, expected=f">= {dotted(least)}")
    holds = numbers(found.driver.value) >= least
    said = f"the driver supports programs up to CUDA {found.driver.value}"
    return check(f"{host}: CUDA", holds, said, expected=f">= {dotted(least)}", measured=found.driver.value)


def _note(host: str, found: Cuda) -> str:
    if found.toolkits.value is None:
        return f"{host}: toolkits could not be listed: {found.toolkits.why_not}"
    names = ", ".join(f"{each.folder} ({each.compiler or each.release})" for each in found.toolkits.value)
    return f"{host}: toolkits on disk: {names or 'none, and none is needed: vLLM brings its CUDA libraries along'}"


def judge(seen: Mapping[str, Cuda], inventory: Inventory) -> Finding:
    """The driver's CUDA against the stricter minimum; toolkits are only told."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    least = least_cuda(inventory)
    return finding(
        (_part(spec.name, seen[spec.name], least, forward_cuda(inventory, spec)) for spec in gpu_hosts(inventory)),
        good=f"every host's driver supports CUDA {dotted(least)}",
        expected=f"CUDA >= {dotted(least)} by the driver",
        source=SOURCE,
        threshold=f">= {dotted(least)} (the guide: >= {dotted(GUIDE_CUDA)})",
        notes=tuple(_note(host, found) for host, found in seen.items()),
    )


ASSUMPTION = Assumption(
    id="cuda-minimum",
    guide="K2 Thinking guide §3.2",
    states="The driver supports the CUDA version that the engine is built for.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="CUDA 13 needs driver 580 or later: install it and restart. A toolkit is not needed: the guide's "
    "cuda-toolkit-12-3 changes nothing here.",
    version=1,
    observe=observe,
    judge=judge,
)
