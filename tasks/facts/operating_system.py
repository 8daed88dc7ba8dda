"""The operating system of a host and its family of packages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tasks.facts.reading import fields, filled, understood


class PackageFamily(StrEnum):
    """Which package manager rules the host."""

    APT = "apt"
    DNF = "dnf"
    OTHER = "other"


_FAMILIES = {"debian": PackageFamily.APT, "ubuntu": PackageFamily.APT} | dict.fromkeys(
    ("rhel", "fedora", "centos"), PackageFamily.DNF
)


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """Fields of /etc/os-release and of the running kernel; `version` is empty on a rolling release."""

    id: str
    like: tuple[str, ...]
    version: str
    kernel: str
    arch: str

    @property
    def family(self) -> PackageFamily:
        """By the system's own name, then by those it says it is like."""
        known = (_FAMILIES[name] for name in (self.id, *self.like) if name in _FAMILIES)
        return next(known, PackageFamily.OTHER)


@dataclass(frozen=True)
class OperatingSystemFact:
    """The host's OperatingSystem.

    Sample: "id=ubuntu\\nlike=debian\\nversion=22.04\\nkernel=5.15.0-185-generic\\narch=x86_64"
    """

    command: str = (
        'f=/etc/os-release; [ -r $f ] || f=/usr/lib/os-release; . $f && echo "id=$ID" && echo "like=${ID_LIKE:-}" && '
        'echo "version=${VERSION_ID:-}" && echo "kernel=$(uname -r)" && echo "arch=$(uname -m)"'
    )

    @understood
    def parse(self, stdout: str) -> OperatingSystem:
        """Read the five lines."""
        name, like, version, kernel, arch = fields(stdout, "id", "like", "version", "kernel", "arch")
        return OperatingSystem(filled(name), tuple(like.split()), version, filled(kernel), filled(arch))
