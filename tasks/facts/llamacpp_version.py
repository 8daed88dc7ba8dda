"""Which llama.cpp a binary is."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from tasks.facts.base import NotUnderstood

_VERSION = re.compile(r"^version: (\S+) \((?:build )?([^)]*)\)", re.MULTILINE)


@dataclass(frozen=True)
class LlamaCppVersion:
    """Version and build of the llama-server `program`, as "llama.cpp 0.7.0 (build 11669, commit Debian)".

    Sample: "version: 0.7.0 (build 11669, commit Debian)\\nbuilt with GNU 16.2.0 for Linux x86_64"
    """

    program: str

    @property
    def command(self) -> str:
        """It writes to stderr."""
        return f"{shlex.quote(self.program)} --version 2>&1"

    def parse(self, stdout: str) -> str:
        """The line that begins with version."""
        found = _VERSION.search(stdout)
        if found is None:
            raise NotUnderstood(self, stdout)
        return f"llama.cpp {found[1]} (build {found[2]})"
