"""Claim: the GPUs of a host reach each other as their board promises: NVLink from each to each, or whole PCIe links."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, skipped, unread
from assumptions._host_gpu import joined_by_switches
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.gpu import Gpu, GpuFact
from tasks.facts.gpu_pcie import GpuPcie, GpuPcieFact
from tasks.facts.gpu_topology import GpuTopology, GpuTopologyFact
from tasks.facts.nvlink import NvLinkFact, NvLinks
from tasks.facts.reading import Reading
from tasks.hosts import Host
from tasks.site import Site

SOURCE = "K2 Thinking guide §2.2, row Network (NVLink preferred); an SXM board joins all its GPUs by NVLink"


@dataclass(frozen=True, slots=True)
class Joined:
    """Names, paths, NVLinks and PCIe links of one host."""

    gpus: Reading[tuple[Gpu, ...]]
    topology: Reading[GpuTopology]
    links: Reading[tuple[NvLinks, ...]]
    pcie: Reading[tuple[GpuPcie, ...]]


def observe(site: Site, stage: Stage) -> dict[str, Joined]:
    """Four questions to the driver of each host with GPUs."""

    def see(host: Host, _: HostSpec) -> Joined:
        return Joined(
            attempt(host, GpuFact()),
            attempt(host, GpuTopologyFact()),
            attempt(host, NvLinkFact()),
            attempt(host, GpuPcieFact()),
        )

    return each(site, gpu_hosts(site.inventory), see)


def _nvlink(host: str, seen: Joined) -> Iterator[Part]:
    gpus = seen.gpus.value
    if gpus is None:
        yield unread(f"{host}: NVLink", seen.gpus)
        return
    if not all(joined_by_switches(gpu.name) for gpu in gpus):
        yield skipped(f"{host}: NVLink", f"{gpus[0].name} does not promise NVLink between all GPUs")
        return
    if len(gpus) == 1:
        yield skipped(f"{host}: paths", "there is one GPU")
    elif seen.topology.value is None:
        yield unread(f"{host}: paths", seen.topology, expected="NV#")
    else:
        others = sorted({p for row in seen.topology.value.paths for p in row if p != "X" and not p.startswith("NV")})
        said = f"some pairs meet by {', '.join(others)}" if others else "NVLink between all pairs"
        yield check(f"{host}: paths", seen.topology.value.all_nvlink, said, expected="NV# in every pair")
    if seen.links.value is None:
        yield unread(f"{host}: links", seen.links, expected="all active")
        return
    most = max((len(gpu.speeds_gb_s) for gpu in seen.links.value), default=0)
    for number, gpu in enumerate(seen.links.value):
        active = sum(speed is not None for speed in gpu.speeds_gb_s)
        said = f"{active} of {most} NVLinks are active" if most else "no NVLink is active"
        holds = bool(active) and active == most
        yield check(f"{host}: GPU {number} links", holds, said, expected=most or "some", measured=active)


def _pcie(host: str, seen: Joined) -> Iterator[Part]:
    if seen.pcie.value is None:
        yield unread(f"{host}: PCIe", seen.pcie)
        return
    for number, gpu in enumerate(seen.pcie.value):
        now, most = gpu.lanes.value, gpu.lanes_max.value
        holds = None if now is None or most is None else now >= most
        said = f"{now if now is not None else gpu.lanes.why_not} of {most or gpu.lanes_max.why_not} lanes"
        yield check(f"{host}: GPU {number} PCIe", holds, said, expected=f"{most} lanes", measured=now)


def judge(seen: Mapping[str, Joined], inventory: Inventory) -> Finding:
    """NVLink where the board has it, and every lane of PCIe; an idle GPU lowers the generation, so that is not weighed.

    Active links alone do not prove a healthy fabric: gpu-fabric-healthy and nccl-all-reduce do.
    """
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    return finding(
        (part for host, found in seen.items() for part in (*_nvlink(host, found), *_pcie(host, found))),
        good="every NVLink that the boards have is active, and every PCIe link is whole",
        expected="NVLink in every pair and every link active where the board has NVSwitches; all PCIe lanes",
        source=SOURCE,
    )


ASSUMPTION = Assumption(
    id="gpu-interconnect",
    guide="K2 Thinking guide §2.2",
    states="The GPUs of each host reach each other as their board promises.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="A link that is down or a narrow PCIe link: reset the GPU, restart the host, reseat the board; if it comes "
    "back, send the vendor pack. NVLink missing between all pairs: see gpu-fabric-healthy.",
    version=1,
    observe=observe,
    judge=judge,
)
