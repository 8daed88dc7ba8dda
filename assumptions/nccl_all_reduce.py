"""Claim: the GPUs of a host add their data up together as fast as healthy ones do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, skipped, smallest, unread
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.all_reduce import AllReduce, AllReduceFact
from tasks.facts.gpu_processes import GpuProcess, GpuProcessFact
from tasks.facts.reading import Reading
from tasks.hosts import Host
from tasks.site import Site

# GB/s of bus bandwidth for eight GPUs and 16 GiB, as Azure's node health checks enforce them:
# Azure/azurehpc-health-checks conf/nd96isr_h200_v5.conf@13fa400 and nd96isr_h100_v5.conf@7e6ac77 and
# nd96amsr_a100_v4.conf@2a20aec
FLOORS_GB_S = {"h200": 431.0, "h100-80gb": 460.0, "a100-80gb": 228.0}
FLOOR_GPUS, MIB, LONGEST_S = 8, 16_384, 50
SOURCE = "Azure/azurehpc-health-checks conf/nd96*: check_nccl_allreduce, 8 GPUs, 16G"
HOW = "build github.com/NVIDIA/nccl-tests into /opt/nccl-tests (or put all_reduce_perf on PATH) and judge again"


@dataclass(frozen=True, slots=True)
class Reduced:
    """What holds the GPUs now, and the measurement that was made where nothing does."""

    busy: Reading[tuple[GpuProcess, ...]]
    speed: Reading[AllReduce]


def observe(site: Site, stage: Stage) -> dict[str, Reduced]:
    """Measure where the GPUs are free and the tool is there; it takes their memory for some seconds."""

    def see(host: Host, spec: HostSpec) -> Reduced:
        busy = attempt(host, GpuProcessFact())
        if spec.gpus < 2 or busy.value is None or busy.value:
            return Reduced(busy, Reading(None, "not measured"))
        return Reduced(busy, attempt(host, AllReduceFact(spec.gpus, MIB), timeout=LONGEST_S))

    return each(site, gpu_hosts(site.inventory), see)


def _parts(spec: HostSpec, seen: Reduced) -> Iterator[Part]:
    name = f"{spec.name}: all-reduce"
    floor = FLOORS_GB_S.get(spec.gpu or "") if spec.gpus == FLOOR_GPUS else None
    expected = f">= {floor:g} GB/s" if floor else "a floor"
    if spec.gpus < 2:
        yield skipped(name, "there is one GPU")
        return
    if seen.busy.value is None:
        yield unread(f"{spec.name}: GPUs free", seen.busy)
        return
    if seen.busy.value:
        first = seen.busy.value[0]
        why = f"the GPUs are in use ({first.name}, process {first.pid}): a measurement would disturb both"
        yield check(name, None, why, expected=expected)
        return
    if seen.speed.value is None:
        why = HOW if "not found" in seen.speed.why_not else seen.speed.why_not
        yield check(name, None, why, expected=expected)
        return
    found = seen.speed.value
    if found.wrong:
        yield check(f"{name} values", False, f"{found.wrong} values came out wrong", expected=0, measured=found.wrong)
    said = f"{found.bus_gb_s:g} GB/s"
    if floor is None:
        why = f"{said}, and no floor from a named source for {spec.gpus}x {spec.gpu}"
        yield check(name, None, why, expected=expected, measured=said)
    else:
        yield check(name, found.bus_gb_s >= floor, said, expected=expected, measured=said)


def judge(seen: Mapping[str, Reduced], inventory: Inventory) -> Finding:
    """Bus bandwidth against the floor for eight GPUs of that kind; wrong sums fail whatever the speed."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    slowest = smallest(
        {name: found.speed.value.bus_gb_s if found.speed.value else None for name, found in seen.items()}
    )
    return finding(
        (part for spec in gpu_hosts(inventory) for part in _parts(spec, seen[spec.name])),
        good=f"{slowest or 0:g} GB/s or more on every host",
        expected="bus bandwidth at 16 GiB above the floor of that kind of host",
        source=SOURCE,
        value=slowest,
        unit="GB/s of bus bandwidth",
        samples=None if slowest is None else 1,
        notes=("One process drives all GPUs here; the floor was set for one process a GPU.",),
    )


ASSUMPTION = Assumption(
    id="nccl-all-reduce",
    guide="K2 Thinking guide §2.2",
    states="The GPUs of each host add their data up together as fast as healthy ones do.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy=f"To measure at all: {HOW}, with nothing on the GPUs. Too slow: see gpu-fabric-healthy, gpu-interconnect "
    "and gpu-throttling; all three clean: send the vendor pack.",
    version=1,
    observe=observe,
    judge=judge,
)
