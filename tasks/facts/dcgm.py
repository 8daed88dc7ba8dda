"""NVIDIA's Data Center GPU Manager; its service is a SystemdUnit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.reading import sections, understood

UNIT = "nvidia-dcgm.service"
_VERSION = re.compile(r"(?:dcgmi +)?[Vv]ersion *: *([0-9]+(?:\.[0-9]+)+)")


@dataclass(frozen=True)
class DcgmFact:
    """The version of dcgmi, or None where it is not installed.

    Samples: "@@ version\\n\\ndcgmi  version: 3.3.9", "@@ version\\nabsent"
    """

    command: str = (
        "echo '@@ version'; if command -v dcgmi >/dev/null 2>&1; then LC_ALL=C dcgmi --version; else echo absent; fi"
    )

    @understood
    def parse(self, stdout: str) -> str | None:
        """The one line that names a version."""
        (lines,) = sections(stdout, "version")
        said = [line.strip() for line in lines if line.strip()]
        if said == ["absent"]:
            return None
        (version,) = [found[1] for line in said if (found := _VERSION.fullmatch(line))]
        return version
