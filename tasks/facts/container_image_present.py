"""Whether an image lies on the host."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.reading import choice, understood


@dataclass(frozen=True)
class ImagePresentFact:
    """True where Docker has `image` (name@sha256:…) under that very digest.

    Samples: "present", "absent"
    """

    image: str
    needs_root: bool = False

    @property
    def command(self) -> str:
        """Docker's words tell an image that is not there from an engine that is not."""
        image = shlex.quote(self.image)
        return (
            f"o=$(LC_ALL=C docker image inspect --format '{{{{.ID}}}}' {image} 2>&1) && echo present || "
            'case "$o" in *"No such image"*) echo absent;; *) echo "$o" >&2; exit 1;; esac'
        )

    @understood
    def parse(self, stdout: str) -> bool:
        """The one word."""
        return choice(stdout.strip(), "present", "absent")
