"""The GPUs that a container sees."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import ClassVar

from tasks.facts.reading import needs, plain, understood

_RUN = "LC_ALL=C docker run --rm --pull=never --network=none"
_WAYS = {"runtime": "--gpus all", "cdi": "--device nvidia.com/gpu=all"}


@dataclass(frozen=True, slots=True)
class ContainerGpus:
    """Lines of `nvidia-smi -L` inside; `image` None: no image lies on the host, and none is pulled for a look."""

    image: str | None
    gpus: tuple[str, ...]
    refusal: str


@dataclass(frozen=True)
class ContainerGpusFact:
    """The ContainerGpus of a short-lived container without network, from `image`, else the newest one on the host.

    `gpus_by` is "runtime" or "cdi"; empty tries both in that order.
    Samples: "@@ image 3f2a…\\nGPU 0: NVIDIA H200 (UUID: GPU-…)\\n@@ exit 0", "@@ image -\\n@@ exit 0",
    "@@ image 3f2a…\\ndocker: Error response from daemon: could not select device driver …\\n@@ exit 125"
    """

    needs_root: ClassVar[bool] = True
    image: str = ""
    gpus_by: str = ""

    @property
    def command(self) -> str:
        """What the last try said, with its status."""
        found = shlex.quote(self.image) if self.image else "$(LC_ALL=C docker image ls -q --no-trunc | head -n 1)"
        ways = [way for by, way in _WAYS.items() if self.gpus_by in ("", by)]
        tries = " || ".join(f'{{ o=$({_RUN} {way} --entrypoint nvidia-smi "$i" -L 2>&1); }}' for way in ways)
        return (
            f'{needs("docker")}; i={found} || exit; echo "@@ image ${{i:--}}"; s=0; o=; '
            f'if [ -n "$i" ]; then {tries}; s=$?; fi; echo "$o"; echo "@@ exit $s"'
        )

    @understood
    def parse(self, stdout: str) -> ContainerGpus:
        """The GPUs where the container ended well, its words where it did not."""
        first, *lines, last = [plain(line).strip() for line in stdout.splitlines() if line.strip()]
        if not first.startswith("@@ image ") or not last.startswith("@@ exit "):
            raise ValueError("cut short")
        image = first.removeprefix("@@ image ")
        if image == "-" or any("No such image" in line for line in lines):
            return ContainerGpus(None, (), "")
        gpus = tuple(line for line in lines if line.startswith("GPU "))
        if last == "@@ exit 0" and len(gpus) == len(lines):
            return ContainerGpus(image, gpus, "")
        return ContainerGpus(image, (), "; ".join(lines) or last.removeprefix("@@ "))
