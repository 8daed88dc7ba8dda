"""The seam to a machine: one method that runs a command, and what it may raise.

HostError(Problem)
 ├─ Unreachable            no connection, or it broke and the command's end was never seen
 ├─ UnknownHostKey         the host's key is not pinned
 ├─ HostKeyChanged         the host's key is not the pinned one
 ├─ AuthenticationRefused  the host did not accept our key
 ├─ DeadlineExceeded       the command ran past its deadline
 ├─ SudoRefused            root is needed and sudo won't give it
 └─ CommandFailed          it ran, ended, and its exit status was not 0   (.ran)
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from inventories.errors import Problem


@dataclass(frozen=True, slots=True)
class Ran:
    """One finished command: exit status as the host reported it, both streams whole."""

    host: str
    command: str
    exit: int
    stdout: str
    stderr: str
    at: datetime
    seconds: float = 0.0

    def check(self) -> Ran:
        """Return itself when the command succeeded, else raise CommandFailed."""
        if self.exit != 0:
            raise CommandFailed(self)
        return self


class HostError(Problem):
    """The host could not do what was asked."""


class Unreachable(HostError):
    """No connection, or it was lost before the command's exit status was seen."""


class UnknownHostKey(HostError):
    """The host's key is not in the pinned file.  It is never added by itself."""


class HostKeyChanged(HostError):
    """The host's key differs from the pinned one: another machine, or someone in between."""


class AuthenticationRefused(HostError):
    """The host refused our user or key."""


class DeadlineExceeded(HostError):
    """The command did not end in time; it was told to stop."""


class SudoRefused(HostError):
    """A step needs root and sudo asked for a password that we were not given, or refused it."""


class CommandFailed(HostError):
    """The command ended with another exit status than 0."""

    def __init__(self, ran: Ran) -> None:
        tail = (ran.stderr.strip() or ran.stdout.strip() or "no output")[-800:]
        super().__init__(
            f"command ended with exit status {ran.exit}: {tail}",
            where=f"{ran.host}: {ran.command[:300]}",
            fix="read the command's output above and in the run's raw record",
        )
        self.ran = ran

    def __reduce__(self) -> tuple[object, ...]:
        return (CommandFailed, (self.ran,))


class Host(Protocol):
    """A machine.  Every wait has a deadline; every error is a HostError."""

    name: str

    def run(self, command: str, *, timeout: float = 60, stdin: str | None = None, sudo: bool = False) -> Ran:
        """Run one POSIX shell command line; `timeout` in seconds.

        `stdin` is sent and never recorded.  With `sudo` it runs as root, by `sudo -n` or with a password on stdin.
        A non-zero exit status is an answer, not an error: call `.check()` where it is one.
        """
        ...

    def forward(self, port: int) -> AbstractContextManager[int]:
        """A local port that leads to `port` on the host's own loopback while the context lasts."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...


def now() -> datetime:
    """The present in UTC."""
    return datetime.now(UTC)


def write_file(
    host: Host, path: str, content: str, *, mode: str = "0644", timeout: float = 60, sudo: bool = False
) -> Ran:
    """Put `content` at `path` whole or not at all.  It travels on stdin, so it is not recorded.

    The size is compared before the move: to `cat`, a connection that breaks looks like the end of the file.
    """
    target, part = shlex.quote(path), shlex.quote(path + ".part")
    whole = f'[ "$(wc -c < {part})" -eq {len(content.encode())} ]'
    return host.run(
        f"umask 077 && cat > {part} && {whole} && chmod {mode} {part} && mv -f {part} {target}",
        stdin=content,
        timeout=timeout,
        sudo=sudo,
    ).check()


def lines(text: str) -> Iterator[str]:
    """The non-empty lines of `text`, stripped."""
    return (line.strip() for line in text.splitlines() if line.strip())
