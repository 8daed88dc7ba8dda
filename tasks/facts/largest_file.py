"""The largest file below a folder, for a measurement that must not write."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.reading import filled, match, sections, understood, whole


@dataclass(frozen=True, slots=True)
class FoundFile:
    """Path and size in bytes."""

    path: str
    size_bytes: int


@dataclass(frozen=True)
class LargestFileFact:
    """The largest FoundFile on `folder`'s own file system, of `at_least_mib` or more; None where there is none.

    Samples: "@@ file\\n4215803904 /srv/models/a/model-00001.safetensors", "@@ file"
    """

    folder: str
    at_least_mib: int

    @property
    def command(self) -> str:
        """List sizes; files that this user can't read are left out."""
        d = shlex.quote(self.folder)
        size = f"-size +{max(0, self.at_least_mib - 1)}M"
        return (
            f"echo '@@ file'; [ ! -d {d} ] || find {d} -xdev -type f -readable {size} -printf '%s %p\\n' 2>/dev/null "
            "| sort -n | tail -n 1"
        )

    @understood
    def parse(self, stdout: str) -> FoundFile | None:
        """Read the one line, if any."""
        (lines,) = sections(stdout, "file")
        if not lines:
            return None
        (line,) = lines
        found = match(r"([0-9]+) (/.*)", line)
        return FoundFile(filled(found[2]), whole(found[1]))
