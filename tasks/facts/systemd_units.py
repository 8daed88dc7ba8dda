"""The state of systemd units: services that must run, timers that may disturb."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.reading import filled, understood

APT_TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer", "unattended-upgrades.service")
_PROPERTIES = ("Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "Result")


@dataclass(frozen=True, slots=True)
class SystemdUnit:
    """systemd's own words; `load` is "not-found" where the unit does not exist, and `result` empty for a target."""

    name: str
    load: str
    active: str
    sub: str
    enabled: str
    result: str

    @property
    def exists(self) -> bool:
        """Whether systemd knows the unit."""
        return self.load not in ("not-found", "bad-setting")

    @property
    def is_active(self) -> bool:
        """Whether it runs, or for a timer whether it will go off."""
        return self.active == "active"


@dataclass(frozen=True)
class SystemdUnitFact:
    """The SystemdUnit of each name, in their order.  It fails on a host that systemd did not boot.

    Sample: "Id=apt-daily.timer\\nLoadState=loaded\\nActiveState=active\\nSubState=waiting\\n…" and a blank line.
    """

    names: tuple[str, ...]

    @property
    def command(self) -> str:
        """Ask for all at once."""
        return (
            f"LC_ALL=C systemctl show --no-pager -p {','.join(_PROPERTIES)} -- {' '.join(map(shlex.quote, self.names))}"
        )

    @understood
    def parse(self, stdout: str) -> tuple[SystemdUnit, ...]:
        """One block a unit; a property that a unit's kind does not have is empty."""
        blocks = [block for block in stdout.split("\n\n") if block.strip()]
        if len(blocks) != len(self.names):
            raise ValueError("another number of units than asked for")
        return tuple(map(_unit, blocks))


def _unit(block: str) -> SystemdUnit:
    said = dict(line.split("=", 1) for line in block.splitlines() if line)
    if not said.keys() <= set(_PROPERTIES):
        raise ValueError("other properties than asked for")
    name, load, active, sub = (filled(said[key]) for key in _PROPERTIES[:4])
    return SystemdUnit(name, load, active, sub, said.get("UnitFileState", ""), said.get("Result", ""))
