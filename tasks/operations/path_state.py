"""What lies at a path of the host: kind, mode, owner, and the digest of a file."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import ClassVar

from inventories.errors import BadInput
from tasks.facts.reading import match, understood

_OWNER = r"[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+"


@dataclass(frozen=True, slots=True)
class PathState:
    """`kind` in stat's words ("directory", "regular file"); `owner` as user:group; `sha256` of a regular file."""

    kind: str
    mode: str
    owner: str
    sha256: str


@dataclass(frozen=True)
class PathStateFact:
    """The PathState of `path`, or None where nothing is.  Root, so that nothing is hidden.

    Samples: "regular file|644|root:root|e3b0c442…", "regular empty file|…", "directory|755|root:root|-", "absent"
    """

    needs_root: ClassVar[bool] = True
    path: str

    @property
    def command(self) -> str:
        """Links are not followed: what is written replaces the link."""
        path = shlex.quote(self.path)
        return (
            f"if [ -L {path} ] || [ -e {path} ]; then LC_ALL=C stat -c '%F|%a|%U:%G' -- {path} && "
            f"if [ -f {path} ] && [ ! -L {path} ]; then sha256sum < {path}; else echo -; fi; else echo absent; fi"
        )

    @understood
    def parse(self, stdout: str) -> PathState | None:
        """Two lines, or the one word."""
        if stdout.strip() == "absent":
            return None
        first, digest = stdout.splitlines()
        found = match(r"([a-z ]+)\|([0-7]{1,4})\|(\S+:\S+)", first)
        return PathState(found[1], found[2], found[3], match(r"([0-9a-f]{64})  -|-", digest)[1] or "")


def checked_path(path: str) -> str:
    """`path` if it is an absolute path that a command line can carry, else BadInput."""
    if not path.startswith("/") or "\0" in path or path.endswith("/") or path.startswith("//"):
        raise BadInput(f"{path!r} is not an absolute path", where="path of an operation", fix="begin it with one /")
    return path


def checked_owner(owner: str) -> str:
    """`owner` as user:group, else BadInput."""
    try:
        return match(_OWNER, owner).group()
    except ValueError:
        raise BadInput(f"{owner!r} is not user:group", where="owner of an operation", fix="root:root") from None


def checked_mode(mode: str) -> str:
    """`mode` in octal digits, without leading zeros as stat prints it; else BadInput."""
    try:
        return match(r"0*([0-7]{3,4})", mode)[1].lstrip("0") or "0"
    except ValueError:
        raise BadInput(f"{mode!r} is not a mode", where="mode of an operation", fix="four octal digits: 0644") from None
