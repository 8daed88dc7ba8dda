"""Shared libraries of the operating system that the engine needs at run time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.hosts import Host
from tasks.operations.apt import install_step
from tasks.operations.base import Step


@dataclass(frozen=True)
class Libraries:
    """Each shared object can be loaded; where one is missing its Debian or Ubuntu package is installed.

    `packages` maps a shared object to its package.  Without libnuma vLLM for CPU warns once and then hangs at
    start, so this is looked at before the engine is.
    """

    packages: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """For a person."""
        return "system libraries " + ", ".join(package for _, package in self.packages)

    def plan(self, host: Host) -> Iterator[Step]:
        """One apt call for what the loader can't find."""
        known = host.run("PATH=$PATH:/sbin:/usr/sbin ldconfig -p").check().stdout
        missing = [package for library, package in self.packages if library not in known]
        if missing:
            yield install_step(missing)
