"""Packages that nothing may upgrade behind our back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.boot import BootFact
from tasks.facts.system_packages import SystemPackageFact
from tasks.hosts import Host
from tasks.operations.base import Step


@dataclass(frozen=True)
class Holds:
    """apt holds every driver package that is installed, and the metapackages that bring new kernels.

    A driver that is upgraded without a restart breaks every new program (NVML: version mismatch); a kernel that comes
    without its module takes the driver away at the next restart.
    """

    @property
    def name(self) -> str:
        """For a person."""
        return "holds of driver and kernel packages"

    def plan(self, host: Host) -> Iterator[Step]:
        """One call for all that are not held."""
        flavour = look(host, BootFact()).kernel.rsplit("-", 1)[-1]
        kernels = tuple(f"linux-{part}{flavour}*" for part in ("", "image-", "headers-"))
        patterns = ("*nvidia*-[0-9][0-9][0-9]*", *kernels)
        found = look(host, SystemPackageFact(patterns))
        if loose := sorted({package.name for package in found if not package.held}):
            words = " ".join(map(shlex.quote, loose))
            yield Step(f"hold {' '.join(loose)}", f"apt-mark hold -- {words}", sudo=True)
