"""Whether the host can build a module for one of its Python interpreters."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from tasks.facts.base import NotUnderstood

# Debian's own scheme names a folder that no package fills; Triton looks in the same place as this.
_CODE = (
    "import os, sys, sysconfig as s; "
    "scheme = s.get_default_scheme().replace('posix_local', 'posix_prefix'); "
    "there = os.path.exists(s.get_paths(scheme)['include'] + '/Python.h'); "
    "print('python=%d.%d' % sys.version_info[:2], 'headers=' + ('yes' if there else 'no'))"
)


@dataclass(frozen=True, slots=True)
class Compiler:
    """Whether g++ is there, which version the interpreter is ("" where it is not there), whether it has its headers."""

    cxx: bool
    python: str
    headers: bool


@dataclass(frozen=True)
class CompilerFact:
    """The Compiler for the interpreter at `python`.

    Sample: "g++=yes\\npython=3.11 headers=yes"
    """

    python: str

    @property
    def command(self) -> str:
        """Ask the shell for g++ and the interpreter for its folder of headers."""
        ask = f"{shlex.quote(self.python)} -c {shlex.quote(_CODE)}"
        return f"command -v g++ >/dev/null && echo g++=yes || echo g++=no; {ask} 2>/dev/null || echo python= headers=no"

    def parse(self, stdout: str) -> Compiler:
        """Three settings, each with its value."""
        found = re.fullmatch(r"g\+\+=(yes|no)\npython=(3\.[0-9]+)? headers=(yes|no)\n", stdout)
        if not found:
            raise NotUnderstood(self, stdout)
        return Compiler(found[1] == "yes", found[2] or "", found[3] == "yes")
