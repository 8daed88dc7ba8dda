"""Settings of the kernel, and limits of login sessions."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.reading import fields, understood
from tasks.hosts import Host
from tasks.operations.base import Step
from tasks.operations.file_content import FileContent

_KEY = re.compile(r"[a-z0-9][a-zA-Z0-9_./-]*")
_VALUE = re.compile(r"[A-Za-z0-9-][A-Za-z0-9 ._/:-]*")


@dataclass(frozen=True)
class SysctlFact:
    """The values that hold now, by key; tabs between numbers read as one space.

    Sample: "vm.max_map_count=65530\\nnet.ipv4.tcp_rmem=4096 131072 6291456"
    """

    keys: tuple[str, ...]

    @property
    def command(self) -> str:
        """One line a key, in their order; it fails where the kernel has no such key."""
        words = " ".join(map(shlex.quote, self.keys))
        return f'PATH=$PATH:/usr/sbin:/sbin; for k in {words}; do v=$(sysctl -n -- "$k") || exit; echo "$k="$v; done'

    @understood
    def parse(self, stdout: str) -> Mapping[str, str]:
        """Exactly the keys that were asked for."""
        return dict(zip(self.keys, (" ".join(value.split()) for value in fields(stdout, *self.keys)), strict=True))


@dataclass(frozen=True)
class Sysctl:
    """`values` hold now and after a restart: /etc/sysctl.d/90-`title`.conf has them."""

    title: str
    values: Mapping[str, str]

    def __post_init__(self) -> None:
        bad = [k for k, v in self.values.items() if not _KEY.fullmatch(k) or not _VALUE.fullmatch(v)]
        if bad or not re.fullmatch(r"[a-z0-9][a-z0-9-]*", self.title):
            at = bad[0] if bad else self.title
            raise BadInput(
                f"{at!r} is no setting of the kernel", where="sysctl of an operation", fix="vm.swappiness: 10"
            )

    @property
    def name(self) -> str:
        """For a person."""
        return f"kernel settings {', '.join(sorted(self.values)) or '(none)'}"

    def plan(self, host: Host) -> Iterator[Step]:
        """The file for the next start, then the values for this one."""
        if not self.values:
            return
        keys = tuple(sorted(self.values))
        file = FileContent(f"/etc/sysctl.d/90-{self.title}.conf", "".join(f"{k} = {self.values[k]}\n" for k in keys))
        yield from file.plan(host)
        now = look(host, SysctlFact(keys))
        if other := [f"{key}={self.values[key]}" for key in keys if now[key] != " ".join(self.values[key].split())]:
            command = f"PATH=$PATH:/usr/sbin:/sbin; sysctl -q -w {' '.join(map(shlex.quote, other))}"
            yield Step(f"set {', '.join(other)}", command, sudo=True)


@dataclass(frozen=True)
class SessionLimits:
    """Login sessions of `user` may open `open_files` files and lock `locked_memory` KiB; it holds from the next one.

    Services and containers have limits of their own.
    """

    user: str
    open_files: int
    locked_memory: int | str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", self.user):
            raise BadInput(
                f"{self.user!r} is no user", where="limits of an operation", fix="name an account of the host"
            )

    @property
    def name(self) -> str:
        """For a person."""
        return f"session limits of {self.user}"

    def plan(self, host: Host) -> Iterator[Step]:
        """One file that PAM reads."""
        pairs = (("nofile", self.open_files), ("memlock", self.locked_memory))
        text = "".join(f"{self.user} {kind} {item} {value}\n" for item, value in pairs for kind in ("soft", "hard"))
        yield from FileContent("/etc/security/limits.d/90-beachhead.conf", text).plan(host)
