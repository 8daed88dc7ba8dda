"""Claim: each host has the GPUs that were ordered: how many, which model, how much memory, whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, unread
from assumptions._host_gpu import is_model, memory_fits, model_words
from assumptions._parts import check
from inventories.figures import gpu as catalog
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.gpu import Gpu, GpuFact
from tasks.facts.nvidia_pci import NvidiaPci, NvidiaPciFact
from tasks.facts.reading import Reading
from tasks.site import Site

SOURCE = "the inventory's order; memory and names by the catalog of GPUs; K2 Thinking guide §2.1"


@dataclass(frozen=True, slots=True)
class Installed:
    """The GPUs by the driver and by the PCI bus."""

    gpus: Reading[tuple[Gpu, ...]]
    bus: Reading[tuple[NvidiaPci, ...]]


def observe(site: Site, stage: Stage) -> dict[str, Installed]:
    """Ask the driver and the bus of each host with GPUs."""
    return each(
        site,
        gpu_hosts(site.inventory),
        lambda host, _: Installed(attempt(host, GpuFact()), attempt(host, NvidiaPciFact())),
    )


def _counts(spec: HostSpec, seen: Installed) -> Iterator[Part]:
    name = f"{spec.name}: GPUs"
    bus = None if seen.bus.value is None else sum(device.is_gpu for device in seen.bus.value)
    if seen.gpus.value is None:
        if bus is not None and bus < spec.gpus:
            said = f"{bus} on the PCI bus; the driver says: {' '.join(seen.gpus.why_not.split())[:120]}"
            yield check(name, False, said, expected=spec.gpus, measured=bus)
        else:
            yield unread(name, seen.gpus, expected=spec.gpus)
        return
    found = len(seen.gpus.value)
    said = f"the driver lists {found}, {spec.gpus} were ordered"
    yield check(name, found == spec.gpus, said, expected=spec.gpus, measured=found)
    if bus is not None and bus > found:
        yield check(f"{spec.name}: PCI bus", False, f"{bus - found} GPUs that the driver does not list", measured=bus)


def _each(spec: HostSpec, gpus: tuple[Gpu, ...]) -> Iterator[Part]:
    card = catalog(spec.gpu or "")
    for gpu in gpus:
        name = f"{spec.name}: GPU {gpu.index}"
        right, fits = is_model(card, gpu.name), memory_fits(card, gpu)
        holds = False if not right or fits is False else None if fits is None else True
        memory = f"{gpu.memory_mib.value} MiB" if gpu.memory_mib.value is not None else gpu.memory_mib.why_not
        said = f"{gpu.name}, {memory}" + ("" if holds else f": not an ordered {model_words(card)}")
        if holds is None:
            said = f"{gpu.name}: the driver does not tell its memory ({memory})"
        yield check(name, holds, said, expected=card.title, measured=f"{gpu.name}, {memory}")
        if gpu.mig.value:
            yield check(f"{name} MIG", False, "it is cut into slices (MIG): nvidia-smi -mig 0", expected="whole")


def judge(seen: Mapping[str, Installed], inventory: Inventory) -> Finding:
    """Count, model and memory of every GPU; more than ordered is not as ordered either."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    specs = gpu_hosts(inventory)
    parts = [part for spec in specs for part in _counts(spec, seen[spec.name])]
    parts += [part for spec in specs for part in _each(spec, seen[spec.name].gpus.value or ())]
    total = sum(len(seen[spec.name].gpus.value or ()) for spec in specs)
    return finding(
        parts,
        good=f"{total} GPUs of the ordered model and memory",
        expected="; ".join(f"{spec.name}: {spec.gpus}x {catalog(spec.gpu or '').title}" for spec in specs),
        source=SOURCE,
        value=float(total),
        unit="GPUs",
        notes=tuple(_identity(name, gpu) for name, found in seen.items() for gpu in found.gpus.value or ()),
    )


def _identity(host: str, gpu: Gpu) -> str:
    serial, vbios = (reading.value or reading.why_not for reading in (gpu.serial, gpu.vbios))
    return f"{host} GPU {gpu.index}: {gpu.name}, {gpu.uuid}, serial {serial}, VBIOS {vbios}, PCI {gpu.bus}"


ASSUMPTION = Assumption(
    id="gpus-as-ordered",
    guide="K2 Thinking guide §2.1",
    states="Every host has the GPUs that were ordered: their number, model and memory.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="A GPU that is missing: reseat it and restart; still missing, or another model: refuse the delivery and "
    "send the vendor pack. If the order itself was written down wrongly, mend the inventory and plan again.",
    version=1,
    observe=observe,
    judge=judge,
)
