"""A fact: one command, one pure parser.  It raises; it has no defaults and returns no dict."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Protocol, TypeVar

from tasks.hosts import Host, HostError, Ran

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
REMOTE = Path(__file__).parent.parent / "remote"


class Fact(Protocol[T_co]):
    """Something to know about a host."""

    @property
    def command(self) -> str:
        """The command line that shows it."""
        ...

    def parse(self, stdout: str) -> T_co:
        """Its value; raises NotUnderstood when the output isn't what the command prints."""
        ...


class NotUnderstood(HostError):
    """A command succeeded, and its output is not what it should print."""

    def __init__(self, fact: object, output: str) -> None:
        super().__init__(
            f"{type(fact).__name__}: can't read this output: {output[:300]!r}",
            where="the command's output, in the run's raw record",
            fix="report it with the raw record; until then the claim that needs it is UNKNOWN",
        )


def look(host: Host, fact: Fact[T], *, timeout: float = 60) -> T:
    """Read `fact` from `host`; raises what the connection, the command or the parser raises."""
    return ask(host, fact, timeout=timeout)[0]


def ask(host: Host, fact: Fact[T], *, timeout: float = 60) -> tuple[T, Ran]:
    """The same with the raw output; a fact with `needs_root` is read as root."""
    ran = host.run(fact.command, timeout=timeout, sudo=getattr(fact, "needs_root", False)).check()
    return fact.parse(ran.stdout), ran


def script(python: str, name: str, *arguments: str) -> str:
    """A command line that runs tasks/remote/`name` with `python` on the host, code and arguments in the line."""
    code = (REMOTE / name).read_text(encoding="utf-8")
    return " ".join([shlex.quote(python), "-c", shlex.quote(code), *map(shlex.quote, arguments)])
