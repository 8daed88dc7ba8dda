"""The NVLinks of each GPU and their speed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.reading import match, number, understood

_GPU = re.compile(r"GPU [0-9]+: (?P<name>.+) \(UUID: (?P<uuid>GPU-[0-9a-f-]+)\)")
_LINK = r"Link ([0-9]{1,3}): (?:([0-9.]+) GB/s|<inactive>)"
_NONE_ACTIVE = re.compile(r"(?i)(nvml: ?)?unable to retrieve nvlink information as all links are inactive")


@dataclass(frozen=True, slots=True)
class NvLinks:
    """The links of one GPU in order: gigabytes a second in one direction, None where inactive.

    No link at all means that the board has none, or that the driver calls all of them inactive (`all_inactive`).
    Active links alone prove nothing where there are NVSwitches: see Fabric.
    """

    uuid: str
    name: str
    speeds_gb_s: tuple[float | None, ...]
    all_inactive: bool


@dataclass(frozen=True)
class NvLinkFact:
    """The NvLinks of every GPU.

    Sample: "GPU 0: NVIDIA H200 (UUID: GPU-…)\\n\\t Link 0: 26.562 GB/s\\n\\t Link 1: <inactive>"
    """

    command: str = "LC_ALL=C nvidia-smi nvlink -s"

    @understood
    def parse(self, stdout: str) -> tuple[NvLinks, ...]:
        """Read the links below each GPU's line."""
        found: list[tuple[re.Match[str], list[str]]] = []
        for line in filter(None, map(str.strip, stdout.splitlines())):
            if gpu := _GPU.fullmatch(line):
                found.append((gpu, []))
            else:
                found[-1][1].append(line)
        if not found:
            raise ValueError("no GPU")
        return tuple(_links(gpu["uuid"], gpu["name"], lines) for gpu, lines in found)


def _links(uuid: str, name: str, lines: list[str]) -> NvLinks:
    if any(map(_NONE_ACTIVE.fullmatch, lines)):
        if len(lines) > 1:
            raise ValueError("all links are inactive and yet some are listed")
        return NvLinks(uuid, name, (), True)
    links = [match(_LINK, line) for line in lines]
    if [int(link[1]) for link in links] != list(range(len(links))):
        raise ValueError("links are missing")
    return NvLinks(uuid, name, tuple(number(link[2]) if link[2] else None for link in links), False)
