"""The NVIDIA driver as the kernel has it loaded and as its library on disk names itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.facts.reading import Reading, filled, match, sections, understood

_KERNEL = r"NVRM version: NVIDIA UNIX (?:(Open) Kernel Module for )?\S+ +(?:Kernel Module +)?([0-9.]+) .*"
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)+")


@dataclass(frozen=True, slots=True)
class GpuDriver:
    """Versions of the loaded module and of the library; `open_module` is None where no module is loaded.

    `library` is missing with NVML's own words: "Failed to initialize NVML: Driver/library version mismatch …" after an
    update without reboot, "nvidia-smi: not found" where no driver is installed.
    """

    module: str | None
    open_module: bool | None
    library: Reading[str]

    @property
    def agree(self) -> bool:
        """Whether both are there and of one version."""
        return self.module is not None and self.module == self.library.value


@dataclass(frozen=True)
class GpuDriverFact:
    """The host's GpuDriver; that a part is absent is an answer, not an error.

    Sample: "@@ module\\nNVRM version: NVIDIA UNIX x86_64 Kernel Module  580.173.02  Tue Jun 23 …\\nGCC version: …\\n
    @@ library 18\\nFailed to initialize NVML: Driver/library version mismatch\\nNVML library version: 580.178"
    """

    command: str = (
        "f=/proc/driver/nvidia/version; echo '@@ module'; if [ -e $f ]; then cat $f; else echo absent; fi && "
        "echo '@@ library' && if command -v nvidia-smi >/dev/null 2>&1; then "
        "LC_ALL=C nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>&1 || :; "
        "else echo 'nvidia-smi: not found'; fi"
    )

    @understood
    def parse(self, stdout: str) -> GpuDriver:
        """Read the module's first line; every GPU names the same library."""
        kernel, library = sections(stdout, "module", "library")
        said = list(dict.fromkeys(line.strip() for line in library if line.strip()))
        if len(said) == 1 and _VERSION.fullmatch(said[0]):
            user: Reading[str] = Reading(said[0])
        else:
            user = Reading(None, filled("; ".join(said)))
        if kernel == ["absent"]:
            return GpuDriver(None, None, user)
        first = match(_KERNEL, kernel[0])
        return GpuDriver(first[2], first[1] == "Open", user)
