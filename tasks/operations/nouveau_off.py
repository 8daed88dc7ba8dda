"""The nouveau driver stays away from the GPUs."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.reading import match, sections, understood
from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.file_content import FileContent

FILE = FileContent("/etc/modprobe.d/beachhead-nouveau.conf", "blacklist nouveau\noptions nouveau modeset=0\n")


@dataclass(frozen=True)
class OldInitramfsFact:
    """The initramfs images that are older than the file at `path`, and so can't hold it.

    Sample: "@@ images\\n/boot/initrd.img-6.8.0-60-generic\\n@@ end"
    """

    path: str

    @property
    def command(self) -> str:
        """Compare times of change."""
        path = shlex.quote(self.path)
        return (
            f"echo '@@ images'; if [ -e {path} ]; then "
            f"find /boot -maxdepth 1 -name 'initrd.img-*' ! -newer {path} || exit; fi; echo '@@ end'"
        )

    @understood
    def parse(self, stdout: str) -> tuple[str, ...]:
        """One a line."""
        images, _ = sections(stdout, "images", "end")
        return tuple(sorted(match(r"/boot/initrd\.img-\S+", image).group() for image in images))


@dataclass(frozen=True)
class NouveauOff:
    """modprobe refuses nouveau, and every initramfs was made since: the file alone does not reach it.

    Where nouveau holds the GPUs now, the restart that the driver needs takes it away.
    """

    @property
    def name(self) -> str:
        """For a person."""
        return "nouveau off"

    def plan(self, host: Host) -> Iterator[Step]:
        """The file, then the images."""
        steps = list(FILE.plan(host))
        yield from steps
        old = look(host, OldInitramfsFact(FILE.path))
        if steps or old:
            yield Step(
                "put the blacklist into every initramfs",
                "update-initramfs -u -k all",
                timeout=1800,
                sudo=True,
                long=True,
            )
