"""The NVIDIA Fabric Manager that is installed; its service is a SystemdUnit."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import match, sections, understood

UNIT = "nvidia-fabricmanager.service"


@dataclass(frozen=True)
class FabricManagerFact:
    """Its version, or None where it is not installed.  It must be exactly the driver's where there are NVSwitches.

    Samples: "@@ version\\nFabric Manager version is : 580.95.05", "@@ version\\nabsent"
    """

    command: str = (
        "echo '@@ version'; if command -v nv-fabricmanager >/dev/null 2>&1; then LC_ALL=C nv-fabricmanager --version; "
        "else echo absent; fi"
    )

    @understood
    def parse(self, stdout: str) -> str | None:
        """Read the one line."""
        (lines,) = sections(stdout, "version")
        (line,) = filter(None, map(str.strip, lines))
        return None if line == "absent" else match(r"Fabric Manager version is *: *([0-9]+(?:\.[0-9]+)+)", line)[1]
