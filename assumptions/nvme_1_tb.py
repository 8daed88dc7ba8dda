"""Claim: the models of a GPU host lie on flash of the guide's size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, gpu_hosts, no_gpus, skipped, unread
from assumptions._parts import check
from inventories.schema import Inventory
from tasks.facts.mounts import MountOf, MountOfFact
from tasks.facts.reading import Reading
from tasks.site import Site

MINIMUM_BYTES, RECOMMENDED_BYTES = 10**12, 2 * 10**12  # K2 Thinking guide §2.2, row Storage (Model)
SOURCE = "K2 Thinking guide §2.2, rows Storage (Model) and Storage (Data)"


def observe(site: Site, stage: Stage) -> dict[str, Reading[MountOf]]:
    """The file system below each GPU host's models."""
    return each(site, gpu_hosts(site.inventory), lambda host, spec: attempt(host, MountOfFact(f"{spec.root}/models")))


def _parts(host: str, found: Reading[MountOf]) -> Iterator[Part]:
    if found.value is None:
        yield unread(f"{host}: models", found, expected=">= 1 TB of flash")
        return
    mount = found.value.mount
    size, known = mount.size_bytes, found.value.rotational
    said = f"{mount.path} on {mount.source}: " + (f"{size / 1e12:.2f} TB" if size is not None else "no size")
    holds = None if size is None else size >= MINIMUM_BYTES
    yield check(f"{host}: size", holds, said, expected=">= 1 TB (2 recommended)", measured=size or "")
    if known.value is None:
        yield check(f"{host}: flash", None, f"{mount.source}: {known.why_not}", expected="NVMe")
    else:
        # a virtual disk often claims to rotate, so that claim proves nothing
        said = "a disk that does not rotate" if not known.value else "it claims to rotate, as virtual disks often do"
        yield check(f"{host}: flash", None if known.value else True, said, expected="NVMe", measured=mount.source)
    yield skipped(f"{host}: data", "the row Storage (Data) is for the application's database, which is not here")


def judge(seen: Mapping[str, Reading[MountOf]], inventory: Inventory) -> Finding:
    """Size and kind of the models' file system against the guide's minimum."""
    if not gpu_hosts(inventory):
        return no_gpus(inventory, SOURCE)
    return finding(
        (part for host, found in seen.items() for part in _parts(host, found)),
        good="1 TB or more of flash below the models of every host",
        expected=">= 1 TB NVMe for the models (2 TB recommended)",
        source=SOURCE,
    )


ASSUMPTION = Assumption(
    id="nvme-1-tb",
    guide="K2 Thinking guide §2.2",
    states="The models lie on an NVMe disk of 1 TB or more.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy="Set `root` to the NVMe file system. What is really needed is judged by storage-capacity and "
    "storage-read-speed.",
    version=1,
    observe=observe,
    judge=judge,
    depends_on=("machine", "kernel"),
)
