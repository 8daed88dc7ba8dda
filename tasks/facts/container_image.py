"""Which image an engine's container is made of, as Docker has it on the host."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.reading import match, understood


@dataclass(frozen=True)
class ContainerImageFact:
    """The engine's name with the id of `image` (name@sha256:…) on the host; raises where Docker has it not.

    Sample: "sha256:3f2a…" gives "vllm, image 3f2a…"
    """

    engine: str
    image: str

    @property
    def command(self) -> str:
        """Docker's own record, as our user or as root."""
        asked = f"docker image inspect --format '{{{{.Id}}}}' {shlex.quote(self.image)}"
        return f"if docker version >/dev/null 2>&1; then LC_ALL=C {asked}; else LC_ALL=C sudo -n {asked}; fi"

    @understood
    def parse(self, stdout: str) -> str:
        """The id's first twelve digits."""
        return f"{self.engine}, image {match(r'sha256:([0-9a-f]{12})[0-9a-f]{52}', stdout.strip())[1]}"
