"""The CUDA toolkits on a host."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tasks.facts.reading import filled, match, understood

_COMPILER = r"Cuda compilation tools, release [0-9.]+, V([0-9]+(?:\.[0-9]+)+)"


@dataclass(frozen=True, slots=True)
class CudaToolkit:
    """One folder; `compiler` is nvcc's version, `release` that of version.json, each None where the file is absent."""

    folder: str
    compiler: str | None
    release: str | None


@dataclass(frozen=True)
class CudaToolkitFact:
    """Every CudaToolkit below /usr/local and the one on PATH; none is common, since images bring their own.

    Sample: "@@ toolkits\\nfolder /usr/local/cuda-12.4\\nnvcc Cuda compilation tools, release 12.4, V12.4.131\\n
    json {\\"cuda\\": {\\"name\\": \\"CUDA SDK\\", \\"version\\": \\"12.4.1\\"}, …}\\n@@ end"
    """

    command: str = (
        "echo '@@ toolkits'; p=$(command -v nvcc || :); { for d in /usr/local/cuda*/; do readlink -f \"$d\"; done; "
        '[ -z "$p" ] || dirname "$(dirname "$(readlink -f "$p")")"; } | sort -u | while read -r d; do '
        '[ -x "$d/bin/nvcc" ] || [ -e "$d/version.json" ] || continue; echo "folder $d"; '
        'if [ -x "$d/bin/nvcc" ]; then echo "nvcc $(LC_ALL=C "$d/bin/nvcc" --version | grep release)"; fi; '
        'if [ -e "$d/version.json" ]; then echo "json $(tr -d \'\\n\' < "$d/version.json")"; fi; '
        "done; echo '@@ end'"
    )

    @understood
    def parse(self, stdout: str) -> tuple[CudaToolkit, ...]:
        """One CudaToolkit a folder, between the two marks."""
        first, *lines, last = stdout.splitlines()
        if (first, last) != ("@@ toolkits", "@@ end"):
            raise ValueError("cut short")
        found: list[tuple[str, str | None, str | None]] = []
        for line in lines:
            word, _, rest = line.partition(" ")
            if word == "folder":
                found.append((filled(rest), None, None))
            elif word == "nvcc":
                found[-1] = (found[-1][0], match(_COMPILER, rest.strip())[1], found[-1][2])
            elif word == "json":
                found[-1] = (*found[-1][:2], _release(rest))
            else:
                raise ValueError("another line")
        return tuple(CudaToolkit(*toolkit) for toolkit in found)


def _release(text: str) -> str:
    try:
        return filled(str(json.loads(text)["cuda"]["version"]))
    except TypeError:
        raise ValueError("another shape of version.json") from None
