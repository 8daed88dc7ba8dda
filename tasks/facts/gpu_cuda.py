"""The newest CUDA that the driver's own library supports."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.reading import understood

_CUDA = re.compile(r"CUDA (?:UMD )?Version +: +([0-9]+\.[0-9]+)")  # "UMD" since driver branch 610


@dataclass(frozen=True)
class DriverCudaFact:
    """The CUDA version of libcuda, as "13.0"; a program built for a newer one does not start.

    Sample: "Driver Version                                     : 580.173.02\\nCUDA Version           : 13.0"
    """

    command: str = "LC_ALL=C nvidia-smi -q"

    @understood
    def parse(self, stdout: str) -> str:
        """The one line of the report's head."""
        (version,) = {found[1] for line in stdout.splitlines() if (found := _CUDA.fullmatch(line.strip()))}
        return version
