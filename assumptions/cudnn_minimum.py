"""Claim: cuDNN is at least the guide's version."""

from __future__ import annotations

from collections.abc import Mapping

from assumptions._core import Assumption, Finding, Severity, Stage
from assumptions._host_cuda import GUIDE_CUDNN
from assumptions._host_library import Copies, copies, judged
from inventories.schema import Inventory
from tasks.site import Site

WHEELS = ("nvidia-cudnn-cu13", "nvidia-cudnn-cu12")
PACKAGES = ("libcudnn9*", "libcudnn8*", "cudnn9*")


def observe(site: Site, stage: Stage) -> dict[str, Copies]:
    """The engine's copy and the system's."""
    return copies(site, "CUDNN", WHEELS, PACKAGES)


def judge(seen: Mapping[str, Copies], inventory: Inventory) -> Finding:
    """Every copy against the guide's number."""
    return judged("cuDNN", GUIDE_CUDNN, seen, inventory)


ASSUMPTION = Assumption(
    id="cudnn-minimum",
    guide="K2 Thinking guide §3.2",
    states="cuDNN is at least the guide's version, wherever the engine takes it from.",
    stages=(Stage.HOST,),
    severity=Severity.ADVISORY,
    remedy="Update the engine: its wheels bring cuDNN along. A copy of the system counts only for programs that are "
    "not in the engine's environment.",
    version=1,
    observe=observe,
    judge=judge,
)
