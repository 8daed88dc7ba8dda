"""Packages of the host's distribution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from tasks.facts.base import look
from tasks.facts.system_packages import SystemPackage, SystemPackageFact
from tasks.hosts import Host
from tasks.operations.apt import checked, install_step, need_apt
from tasks.operations.base import Step


@dataclass(frozen=True)
class Packages:
    """Every package of `names` is installed and configured, at its version where `versions` has one.

    A version ending in * stands for every one that begins so.  A held package is changed only to reach a version.
    """

    names: tuple[str, ...]
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.names:
            checked(name, self.versions.get(name, ""))

    @property
    def name(self) -> str:
        """For a person."""
        return f"packages {', '.join(self.names)}" if self.names else "no further packages"

    def plan(self, host: Host) -> Iterator[Step]:
        """One apt call for all that is missing or of another version."""
        if not self.names:
            return
        found = installed(host, self.names)
        wrong = [name for name in self.names if not self._right(found.get(name), name)]
        if not wrong:
            return
        need_apt(host)
        options = []
        if any(name in self.versions for name in wrong if name in found):
            options.append("--allow-downgrades")
            if any(found[name].held for name in wrong if name in found):
                options.append("--allow-change-held-packages")
        words = [f"{name}={self.versions[name]}" if name in self.versions else name for name in wrong]
        yield install_step(words, *options)

    def _right(self, package: SystemPackage | None, name: str) -> bool:
        if package is None or not package.complete:
            return False
        return name not in self.versions or fnmatchcase(package.version, self.versions[name])


def installed(host: Host, names: tuple[str, ...]) -> dict[str, SystemPackage]:
    """What of `names` (patterns, too) is there, by name."""
    return {package.name: package for package in look(host, SystemPackageFact(names))}
