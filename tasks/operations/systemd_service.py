"""A unit of systemd that runs now, and after a restart."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from inventories.errors import BadInput, Problem
from tasks.facts.base import look
from tasks.facts.systemd_units import SystemdUnitFact
from tasks.hosts import Host
from tasks.operations.base import Step

_STARTS_ITSELF = ("enabled", "enabled-runtime", "static", "alias", "generated", "indirect", "linked")


class Masked(Problem):
    """Somebody forbade the unit."""


@dataclass(frozen=True)
class SystemdService:
    """`unit` is enabled and running as said.  A unit without [Install] can't be enabled, and counts as it is."""

    unit: str
    enabled: bool = True
    running: bool = True

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_.@:-]*\.[a-z]+", self.unit):
            raise BadInput(f"{self.unit!r} is no unit", where="service of an operation", fix="docker.service")

    @property
    def name(self) -> str:
        """For a person."""
        return f"service {self.unit}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Enable and start, or the opposite."""
        (unit,) = look(host, SystemdUnitFact((self.unit,)))
        if unit.load == "masked" and (self.enabled or self.running):
            raise Masked(
                f"the unit {self.unit} is masked",
                where=host.name,
                fix=f"find out by whom; systemctl unmask {self.unit}",
            )
        word = shlex.quote(self.unit)
        if (unit.enabled in _STARTS_ITSELF) != self.enabled and (unit.exists or self.enabled):
            verb = "enable" if self.enabled else "disable"
            yield Step(f"{verb} {self.unit}", f"systemctl --quiet {verb} -- {word}", sudo=True)
        if unit.is_active != self.running and (unit.exists or self.running):
            verb = "start" if self.running else "stop"
            yield Step(f"{verb} {self.unit}", f"systemctl {verb} -- {word}", timeout=180, sudo=True)
