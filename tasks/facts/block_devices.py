"""The disks of a host and what lies on them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tasks.facts.reading import filled, understood

_COLUMNS = "NAME,TYPE,SIZE,ROTA,RO,MODEL,SERIAL,TRAN,FSTYPE,MOUNTPOINT"


@dataclass(frozen=True, slots=True)
class BlockDevice:
    """A disk, partition or volume; `parent` is empty for a disk.  Virtual disks often claim to rotate."""

    name: str
    parent: str
    type: str
    size_bytes: int
    rotational: bool
    read_only: bool
    model: str | None
    serial: str | None
    transport: str | None
    filesystem: str | None
    mount: str | None


@dataclass(frozen=True)
class BlockDeviceFact:
    """Every BlockDevice, a disk before its parts; a volume that spans two disks is listed below each.

    Sample: {"blockdevices": [{"name": "vda", "type": "disk", "size": 274877906944, "rota": true, …}]}
    """

    command: str = f"LC_ALL=C lsblk -J -b -o {_COLUMNS}"

    @understood
    def parse(self, stdout: str) -> tuple[BlockDevice, ...]:
        """Flatten the tree."""
        tree = json.loads(stdout)
        if not isinstance(tree, dict):
            raise ValueError("not lsblk's JSON")
        return tuple(_devices(tree["blockdevices"], ""))


def _devices(nodes: object, parent: str) -> list[BlockDevice]:
    if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
        raise ValueError("not a list of devices")
    found: list[BlockDevice] = []
    for node in nodes:
        found.append(_device(node, parent))
        found += _devices(node.get("children", []), found[-1].name)
    return found


def _device(node: dict[str, object], parent: str) -> BlockDevice:
    some = [_text(node[key]) for key in ("model", "serial", "tran", "fstype", "mountpoint")]
    return BlockDevice(
        filled(str(node["name"])),
        parent,
        filled(str(node["type"])),
        int(filled(str(node["size"]))),
        _flag(node["rota"]),
        _flag(node["ro"]),
        *some,
    )


def _text(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("not a text")
    return (value or "").strip() or None


def _flag(value: object) -> bool:
    """Lsblk says true and false since 2.33, "1" and "0" before."""
    flags = {"True": True, "1": True, "False": False, "0": False}
    return flags[str(value)]
