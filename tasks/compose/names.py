"""What things are called on a host: one Compose project for each root folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from inventories.schema import Host
from tasks.releases import Slot

_USUAL_ROOT = str(Host.model_fields["root"].default)


@dataclass(frozen=True, slots=True)
class Project:
    """The project of the root folder `root`; another root on the same host is another project."""

    root: str

    @property
    def name(self) -> str:
        """Compose's project name."""
        mark = hashlib.sha256(self.root.encode()).hexdigest()[:8]
        return "beachhead" if self.root == _USUAL_ROOT else f"beachhead-{mark}"

    @property
    def folder(self) -> str:
        """Where the project's file lies."""
        return f"{self.root}/compose"

    @property
    def file(self) -> str:
        """The one Compose file."""
        return f"{self.folder}/compose.yaml"

    @property
    def probe(self) -> str:
        """The health probe, on the host and in the container."""
        return f"{self.root}/tools/container_probe.py"

    @property
    def secrets(self) -> str:
        """NAME=value lines, readable by the owner alone."""
        return f"{self.root}/secrets/engine.env"

    def container(self, service: str) -> str:
        """The container of a service."""
        return f"{self.name}-{service}"


def engine_service(slot: Slot) -> str:
    """The service of a slot."""
    return f"engine-{slot.port}"


GATEWAY = "gateway"
