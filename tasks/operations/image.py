"""A container image on the host, by its digest."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.container_image_present import ImagePresentFact
from tasks.facts.docker_access import DockerAccess, DockerAccessFact
from tasks.hosts import Host
from tasks.operations.base import Step

PULL_S = 7200.0  # an engine's image has 10 GB and more


@dataclass(frozen=True)
class ImagePresent:
    """Docker has `image` (registry/name@sha256:…); what comes from the registry is checked against the digest."""

    image: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-zA-Z0-9._:/-]*@sha256:[0-9a-f]{64}", self.image):
            raise BadInput(
                f"{self.image!r} is no image with its digest",
                where="image of an operation",
                fix="write name@sha256:…, as `docker image inspect` shows it under RepoDigests",
            )

    @property
    def name(self) -> str:
        """For a person."""
        return f"image {self.image.split('@')[0]}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Pull it, as a unit of its own: a lost connection finds the pull again."""
        access = look(host, DockerAccessFact())
        if access is DockerAccess.ABSENT or not look(host, ImagePresentFact(self.image, access.needs_root)):
            yield Step(
                f"pull the image {self.image}",
                f"docker pull --quiet {shlex.quote(self.image)}",
                timeout=PULL_S,
                sudo=access.needs_root,
                long=True,
            )
