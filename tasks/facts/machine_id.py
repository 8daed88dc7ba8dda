"""Which machine this is, as its operating system names itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.reading import understood


@dataclass(frozen=True)
class MachineIdFact:
    """The id that the installation was given; a copied disk image carries its original's.

    Sample: "3d1219c7c4c5404aaa1f6d2a48adfda4"
    """

    command: str = "cat /etc/machine-id"

    @understood
    def parse(self, stdout: str) -> str:
        """Exactly one id of 32 hex digits."""
        if not re.fullmatch(r"[0-9a-f]{32}", stdout.strip()):
            raise ValueError("no machine id")
        return stdout.strip()
