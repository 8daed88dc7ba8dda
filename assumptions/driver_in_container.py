"""Claim: a container on the host sees every GPU."""

from __future__ import annotations

from collections.abc import Mapping

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, skipped, unread
from assumptions._parts import check
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.container_gpus import ContainerGpus, ContainerGpusFact
from tasks.facts.reading import Reading
from tasks.site import Site

NO_DOCKER = "docker: not found"
SOURCE = "K2 Thinking guide §4.2, Option A: the model is served from a container with all GPUs"


def observe(site: Site, stage: Stage) -> dict[str, Reading[ContainerGpus]]:
    """Start one container for a moment, from the declared image or one that is there; none is pulled."""
    return each(site, gpu_hosts(site.inventory), lambda host, spec: attempt(host, fact(spec), timeout=45))


def fact(spec: HostSpec) -> ContainerGpusFact:
    """As the host's stack declares it; both ways in turn where it declares none."""
    wish = spec.stack.containers if spec.stack else None
    return ContainerGpusFact(wish.probe_image or "", wish.gpus_by) if wish else ContainerGpusFact()


def _part(spec: HostSpec, found: Reading[ContainerGpus]) -> Part:
    name, expected = f"{spec.name}: container", f"{spec.gpus} GPUs"
    if found.value is None and found.why_not == NO_DOCKER:
        return skipped(name, "Docker is not installed, and the engine runs in an environment of its own")
    if found.value is None:
        return unread(name, found, expected=expected)
    if found.value.image is None:
        return check(name, None, "no image lies on the host, and none is pulled for a look", expected=expected)
    inside = len(found.value.gpus)
    said = found.value.refusal or f"nvidia-smi lists {inside} GPUs inside, {spec.gpus} were ordered"
    return check(name, inside == spec.gpus, said, expected=expected, measured=f"{inside} GPUs")


def judge(seen: Mapping[str, Reading[ContainerGpus]], inventory: Inventory) -> Finding:
    """As many GPUs inside as were ordered."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    return finding(
        (_part(spec, seen[spec.name]) for spec in gpu_hosts(inventory)),
        good="a container sees every GPU",
        expected="; ".join(f"{spec.name}: {spec.gpus} GPUs inside" for spec in gpu_hosts(inventory)),
        source=SOURCE,
    )


ASSUMPTION = Assumption(
    id="driver-in-container",
    guide="K2 Thinking guide §4.2",
    states="A container on each host sees every GPU.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy="nvidia-ctk runtime configure --runtime=docker, restart Docker, try again. An engine that runs outside "
    "containers does not need it.",
    version=1,
    observe=observe,
    judge=judge,
)
