"""How much of a disk folders take."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.reading import match, understood, whole


@dataclass(frozen=True)
class FolderSizeFact:
    """Bytes on disk below `folders`, as du counts them; a folder that does not exist takes none.

    Sample: "bytes=594100000000"
    """

    folders: tuple[str, ...]

    @property
    def command(self) -> str:
        """Add the folders up."""
        each = " ".join(map(shlex.quote, self.folders))
        return (
            f't=0; for d in {each}; do [ -e "$d" ] || continue; s=$(du -s -B1 "$d") || exit; '
            't=$((t + ${s%%[!0-9]*})); done; echo "bytes=$t"'
        )

    @understood
    def parse(self, stdout: str) -> int:
        """Read the one line."""
        return whole(match(r"bytes=([0-9]+)", stdout.strip())[1])
