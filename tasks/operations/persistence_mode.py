"""The driver stays loaded while no program uses the GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.gpu import GpuFact
from tasks.facts.gpu_driver import GpuDriverFact
from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.file_content import FileContent
from tasks.operations.systemd_service import SystemdService

UNIT = "beachhead-persistence-mode.service"
# a unit of our own: Ubuntu's nvidia-persistenced.service starts its daemon with --no-persistence-mode
FILE = FileContent(
    f"/etc/systemd/system/{UNIT}",
    "[Unit]\nDescription=Persistence mode of the NVIDIA GPUs\nAfter=nvidia-persistenced.service\n\n"
    "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/nvidia-smi -pm 1\n\n"
    "[Install]\nWantedBy=multi-user.target\n",
)


@dataclass(frozen=True)
class PersistenceMode:
    """Persistence mode is on for every GPU, now and after a restart."""

    @property
    def name(self) -> str:
        """For a person."""
        return "persistence mode"

    def plan(self, host: Host) -> Iterator[Step]:
        """The unit's file, the unit, and the mode itself where somebody switched it off since."""
        steps = list(FILE.plan(host))
        yield from steps
        if steps:
            yield Step("let systemd read its units", "systemctl daemon-reload", sudo=True)
        yield from SystemdService(UNIT).plan(host)
        if look(host, GpuDriverFact()).agree and any(gpu.persistence.value is False for gpu in look(host, GpuFact())):
            yield Step("switch persistence mode on", f"systemctl restart {UNIT}", timeout=300, sudo=True)
