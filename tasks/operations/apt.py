"""How apt is called here: never with a question, never past a lock, and with every word quoted.

`NEEDRESTART_MODE=l` lists services instead of asking or restarting them; `DPkg::Lock::Timeout` waits for whoever took
the lock since we looked.  A lock is never deleted.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.operating_system import OperatingSystemFact, PackageFamily
from tasks.hosts import Host, HostError
from tasks.operations.base import Step

LOCK_WAIT_S = 900
QUIET = "export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l APT_LISTCHANGES_FRONTEND=none LC_ALL=C.UTF-8"
APT = (
    f"apt-get -q -y -o DPkg::Lock::Timeout={LOCK_WAIT_S} -o Dpkg::Options::=--force-confdef "
    "-o Dpkg::Options::=--force-confold"
)
UPDATE = f"{APT} -o APT::Update::Error-Mode=any update"
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~-]*\*?")


class NotSupported(HostError):
    """The host's system is one that this operation can't change."""


def checked(name: str, version: str = "") -> None:
    """Raise BadInput unless dpkg could have a package so named, of such a version."""
    if not _NAME.fullmatch(name) or (version and not _VERSION.fullmatch(version)):
        raise BadInput(
            f"{name!r} {version!r} is no Debian package and version",
            where="packages of an operation",
            fix="small letters, digits and + . - for the name; the version as apt-cache policy shows it",
        )


def need_apt(host: Host) -> None:
    """Raise NotSupported on a host that apt doesn't rule."""
    system = look(host, OperatingSystemFact())
    if system.family is not PackageFamily.APT:
        raise NotSupported(
            f"packages are installed by apt alone here, and this is {system.id} {system.version}".rstrip(),
            where=host.name,
            fix="install them by hand there, or use Ubuntu 22.04 or 24.04; nothing was changed",
        )


def install(words: Sequence[str], *options: str) -> str:
    """A command line that installs `words`; where that fails it reads the repositories anew and tries once more."""
    install = f"{APT} {' '.join(map(shlex.quote, (*options, 'install', '--no-install-recommends', '--', *words)))}"
    return f"{QUIET}; {install} || {{ {UPDATE} && {install}; }}"


def install_step(words: Sequence[str], *options: str, why: str = "", cannot_undo: str = "") -> Step:
    """The same as a step that outlives the connection."""
    why = why or f"install {' '.join(words)}"
    return Step(
        why, install(words, *options), timeout=1800 + LOCK_WAIT_S, sudo=True, long=True, cannot_undo=cannot_undo
    )
