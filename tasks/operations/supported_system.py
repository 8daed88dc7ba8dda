"""Whether the host's system is one whose drivers and services can be set up here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.operating_system import OperatingSystemFact, PackageFamily
from tasks.hosts import Host
from tasks.operations.apt import NotSupported
from tasks.operations.base import Step

UBUNTU = ("22.04", "24.04")


@dataclass(frozen=True)
class SupportedSystem:
    """The host runs a system whose packages we know; nothing brings that about, so another one is refused.

    With `gpus` it is Ubuntu 22.04 or 24.04 on x86-64, whose driver packages bear the names that are used here.
    """

    gpus: bool

    @property
    def name(self) -> str:
        """For a person."""
        return "a supported system"

    def plan(self, host: Host) -> Iterator[Step]:
        """Nothing, or NotSupported before anything was changed."""
        system = look(host, OperatingSystemFact())
        title = f"{system.id} {system.version} on {system.arch}"
        if system.family is not PackageFamily.APT:
            raise NotSupported(
                f"this is {title}, of the family {system.family}; drivers and services are set up by apt alone here",
                where=host.name,
                fix="take the `stack:` block out and set them up by hand, or install Ubuntu; nothing was changed",
            )
        if self.gpus and (system.id != "ubuntu" or system.version not in UBUNTU or system.arch != "x86_64"):
            raise NotSupported(
                f"this is {title}; GPU drivers are set up on Ubuntu {' and '.join(UBUNTU)} on x86_64",
                where=host.name,
                fix="take the `stack:` block out and set them up by hand, or install Ubuntu; nothing was changed",
            )
        yield from ()
