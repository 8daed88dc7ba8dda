"""A small text file on the host, or its absence."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.base import NotUnderstood


@dataclass(frozen=True)
class TextFile:
    """The text of `path`, or None where there is no such file (which is not an error)."""

    path: str

    @property
    def command(self) -> str:
        """Say first whether it exists."""
        path = shlex.quote(self.path)
        return f"if [ -e {path} ]; then echo present; cat {path}; else echo absent; fi"

    def parse(self, stdout: str) -> str | None:
        """Everything after the first line."""
        first, _, rest = stdout.partition("\n")
        if first == "present":
            return rest
        if first == "absent":
            return None
        raise NotUnderstood(self, stdout)
