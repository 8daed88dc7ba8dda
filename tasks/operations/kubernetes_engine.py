"""A release's engine in a slot of the cluster, as it was declared when it was first started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.text_file import TextFile
from tasks.hosts import Host
from tasks.kubernetes.kubectl import Kubectl
from tasks.kubernetes.objects import Manifest, dump
from tasks.operations.base import Step
from tasks.operations.files import File
from tasks.operations.kubernetes import Applied


@dataclass(frozen=True)
class EngineApplied:
    """The workload is applied, and its manifest is kept on the host beside the release.

    `manifest` is None for a release that the inventory no longer declares: image and limits are those of the file.
    """

    release: str
    kubectl: Kubectl
    manifest: Manifest | None
    kept: str

    @property
    def name(self) -> str:
        """For a person."""
        return f"engine {self.release} in the cluster"

    def plan(self, host: Host) -> Iterator[Step]:
        """Keep the manifest, then apply it."""
        manifest = self.manifest
        if manifest is None:
            manifest = self._from_file(host)
        else:
            yield from File(self.kept, dump([manifest]), what="the release's manifest").plan(host)
        yield from Applied(f"engine {self.release}", self.kubectl, (manifest,)).plan(host)

    def _from_file(self, host: Host) -> Manifest:
        text = look(host, TextFile(self.kept))
        found = yaml.safe_load(text) if text else None
        if not isinstance(found, dict) or "kind" not in found:
            raise BadInput(
                f"the manifest of release {self.release} was not kept",
                where=f"{host.name}: {self.kept}",
                fix="deploy it again from its inventory",
            )
        return found
