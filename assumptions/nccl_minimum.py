"""Claim: NCCL is at least the guide's version."""

from __future__ import annotations

from collections.abc import Mapping

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._host_cuda import GUIDE_NCCL
from assumptions._host_library import Copies, copies, judged
from inventories.schema import Inventory
from tasks.site import Site

WHEELS = ("nvidia-nccl-cu13", "nvidia-nccl-cu12")
PACKAGES = ("libnccl2", "libnccl")


def observe(site: Site, stage: Stage) -> dict[str, Copies]:
    """The engine's copy and the system's."""
    return copies(site, "NCCL", WHEELS, PACKAGES)


def judge(seen: Mapping[str, Copies], inventory: Inventory) -> Finding:
    """Every copy against the guide's number."""
    return judged("NCCL", GUIDE_NCCL, seen, inventory)


ASSUMPTION = Assumption(
    id="nccl-minimum",
    guide="K2 Thinking guide §3.2",
    states="NCCL is at least the guide's version, wherever the engine takes it from.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy="Update the engine: its wheels bring NCCL along. A copy of the system counts only for programs that are "
    "not in the engine's environment.",
    version=1,
    observe=observe,
    judge=judge,
)
