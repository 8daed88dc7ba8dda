"""Claim: the file system of the models has room for the weights, beside what lies there already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assumptions._core import Assumption, Finding, Part, Severity, Stage
from assumptions._host import attempt, each, finding, smallest, unread
from assumptions._parts import check
from inventories.figures import model
from inventories.schema import Host as HostSpec
from inventories.schema import Inventory
from tasks.facts.folder_size import FolderSizeFact
from tasks.facts.mounts import MountOf, MountOfFact
from tasks.facts.reading import Reading
from tasks.hosts import Host
from tasks.operations.weights import MARGIN_BYTES
from tasks.site import Site

LEAST_INODES = 4_096  # four for each file of a checkpoint of a thousand files (assumed)
SOURCE = "checkpoint sizes of the catalog, and the margin that the fetch keeps; K2 Thinking guide §2.2 (2x: 1 TB)"


@dataclass(frozen=True, slots=True)
class Room:
    """The file system below the models' folder, and the bytes of these very models that lie there."""

    mount: Reading[MountOf]
    there: Reading[int]


def folders(inventory: Inventory, host: HostSpec) -> tuple[str, ...]:
    """Where the model and its probes lie on `host`."""
    pinned = (inventory.model, *inventory.probes)
    return tuple(inventory.model_dir(each.catalog, each.revision or "unpinned", host) for each in pinned)


def wanted_bytes(inventory: Inventory) -> int:
    """Weights of the model and its probes, and the spare room that the fetch insists on."""
    weights = sum(int(model(each.catalog).checkpoint_bytes.value) for each in (inventory.model, *inventory.probes))
    return weights + min(MARGIN_BYTES, weights)


def observe(site: Site, stage: Stage) -> dict[str, Room]:
    """Ask every host: each one gets the weights."""

    def see(host: Host, spec: HostSpec) -> Room:
        return Room(
            attempt(host, MountOfFact(f"{spec.root}/models")),
            attempt(host, FolderSizeFact(folders(site.inventory, spec))),
        )

    return each(site, site.inventory.hosts, see)


def _parts(host: str, seen: Room, wanted: int) -> Iterator[Part]:
    name, expected = f"{host}: room", f">= {wanted / 1e9:.1f} GB"
    if seen.mount.value is None:
        yield unread(name, seen.mount, expected=expected)
        return
    mount, there = seen.mount.value.mount, seen.there.value
    if mount.free_bytes is None or there is None:
        why = "df gives no free bytes" if there is not None else f"du: {seen.there.why_not}"
        yield check(name, None, f"{mount.path}: {why}", expected=expected)
    else:
        room = mount.free_bytes + there
        said = f"{mount.path} ({mount.filesystem}): {mount.free_bytes / 1e9:.1f} GB free"
        said += f", {there / 1e9:.1f} GB of these models there already" if there else ""
        yield check(name, room >= wanted, said, expected=expected, measured=f"{room / 1e9:.1f} GB")
    if mount.free_inodes is not None and mount.free_inodes < LEAST_INODES:
        yield check(f"{host}: inodes", False, f"{mount.free_inodes} left", expected=f">= {LEAST_INODES}")
    if seen.mount.value.read_only:
        yield check(f"{host}: writable", False, f"{mount.path} is mounted read-only", expected="rw")


def judge(seen: Mapping[str, Room], inventory: Inventory) -> Finding:
    """Free bytes and what is there against what the fetch will need."""
    wanted = wanted_bytes(inventory)
    free = {
        name: float(room.mount.value.mount.free_bytes) / 1e9
        if room.mount.value and room.mount.value.mount.free_bytes is not None
        else None
        for name, room in seen.items()
    }
    return finding(
        (part for host, room in seen.items() for part in _parts(host, room, wanted)),
        good=f"room for {wanted / 1e9:.1f} GB on every host",
        expected=f">= {wanted / 1e9:.1f} GB free or taken by these models, inodes, writable",
        source=SOURCE,
        value=smallest(free),
        unit="GB free on the fullest host",
    )


ASSUMPTION = Assumption(
    id="storage-capacity",
    guide="K2 Thinking guide §2.2",
    states="The file system that holds the models has room for the weights.",
    stages=(Stage.HOST,),
    severity=Severity.BLOCKING,
    remedy="Free room there, or set the host's `root` to the file system that was meant for the models.",
    version=1,
    observe=observe,
    judge=judge,
    depends_on=("machine", "kernel"),
)
