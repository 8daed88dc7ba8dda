"""The versions of cuDNN and NCCL that a host's header files name."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import filled, match, sections, understood, whole

_FILES = {"CUDNN": "cudnn_version*.h", "NCCL": "nccl.h"}
_PLACES = "/usr/include /usr/include/*-linux-gnu /usr/local/cuda*/include /usr/local/include"


@dataclass(frozen=True, slots=True)
class LibraryHeader:
    """One header file and the version in it, as "9.13.0"."""

    path: str
    version: str


@dataclass(frozen=True)
class LibraryHeaderFact:
    """Every LibraryHeader of `library` ("CUDNN" or "NCCL"); none where only an image or a Python package brings it.

    Sample: "@@ headers\\n/usr/include/nccl.h #define NCCL_MAJOR 2\\n/usr/include/nccl.h #define NCCL_MINOR 27\\n…"
    """

    library: str

    @property
    def command(self) -> str:
        """Print the three lines of each header; links to the same file count once."""
        name = _FILES[self.library]
        part = "MAJOR|MINOR|PATCHLEVEL|PATCH"
        return (
            f"echo '@@ headers'; for d in {_PLACES}; do for f in $d/{name}; do "
            '[ -r "$f" ] && readlink -f "$f"; done; done | sort -u | while read -r f; do '
            f'grep -E \'^#define +{self.library}_({part})[[:space:]]+[0-9]+\' "$f" | sed "s|^|$f |"; done'
        )

    @understood
    def parse(self, stdout: str) -> tuple[LibraryHeader, ...]:
        """Put the three numbers of each file together."""
        (lines,) = sections(stdout, "headers")
        parts: dict[str, dict[str, int]] = {}
        for line in filter(None, lines):
            path, _, define = line.partition(" #define ")
            found = match(rf" *{self.library}_([A-Z]+)\s+([0-9]+)\b.*", define)
            parts.setdefault(filled(path), {})[found[1].replace("PATCHLEVEL", "PATCH")] = whole(found[2])
        return tuple(
            LibraryHeader(path, ".".join(str(numbers[name]) for name in ("MAJOR", "MINOR", "PATCH")))
            for path, numbers in parts.items()
        )
