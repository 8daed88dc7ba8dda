"""An account on the host."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.reading import match, sections, understood
from tasks.hosts import Host
from tasks.operations.base import Step

_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Account:
    """An entry of the user database and the groups it is in."""

    home: str
    shell: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class AccountFact:
    """The Account called `user`, or None; and which of `groups` exist.

    Sample: "@@ user\\nops:x:1000:1000::/home/ops:/bin/bash\\nops sudo\\n@@ groups\\ndocker"
    """

    user: str
    groups: tuple[str, ...]

    @property
    def command(self) -> str:
        """Status 2 of getent means that there is no such entry."""
        user, groups = shlex.quote(self.user), " ".join(map(shlex.quote, self.groups))
        named = f"getent group {groups} | cut -d: -f1; " if groups else ""
        return (
            f"echo '@@ user'; getent passwd {user}; s=$?; if [ $s -eq 0 ]; then id -nG {user}; "
            f"elif [ $s -ne 2 ]; then exit $s; fi; echo '@@ groups'; {named}:"
        )

    @understood
    def parse(self, stdout: str) -> tuple[Account | None, tuple[str, ...]]:
        """Read the entry and the list."""
        user, groups = sections(stdout, "user", "groups")
        if not user:
            return None, tuple(groups)
        entry, member = user
        found = match(rf"{re.escape(self.user)}:[^:]*:\d+:\d+:[^:]*:([^:]*):([^:]*)", entry)
        return Account(found[1], found[2], tuple(member.split())), tuple(groups)


@dataclass(frozen=True)
class UserAccount:
    """The account `user` exists with a home, `shell`, and membership in at least `groups`.  It gets no password."""

    user: str
    groups: tuple[str, ...] = ()
    shell: str = "/bin/bash"
    system: bool = False

    def __post_init__(self) -> None:
        wrong = [name for name in (self.user, *self.groups) if not _NAME.fullmatch(name)]
        if wrong or not re.fullmatch(r"/[A-Za-z0-9._/-]+", self.shell):
            raise BadInput(
                f"{(wrong or [self.shell])[0]!r} is no name or shell that useradd accepts",
                where="user of an operation",
                fix="small letters, digits, _ and -; the shell as an absolute path",
            )

    @property
    def name(self) -> str:
        """For a person."""
        return f"user {self.user}"

    def plan(self, host: Host) -> Iterator[Step]:
        """Groups first, then the account or what it lacks."""
        account, there = look(host, AccountFact(self.user, self.groups))
        if absent := [group for group in self.groups if group not in there]:
            adds = " && ".join(f"groupadd --system -- {shlex.quote(group)}" for group in absent)
            yield Step(f"add the group {', '.join(absent)}", adds, sudo=True)
        user, shell, lacking = shlex.quote(self.user), shlex.quote(self.shell), self.groups
        if account is None:
            words = ["useradd", "--create-home", "--shell", self.shell, *(["--system"] if self.system else [])]
            words += ["--groups", ",".join(self.groups)] if self.groups else []
            yield Step(f"add the user {self.user}", shlex.join([*words, "--", self.user]), sudo=True)
            return
        lacking = tuple(group for group in self.groups if group not in account.groups)
        if lacking:
            add = f"usermod --append --groups {shlex.quote(','.join(lacking))} -- {user}"
            yield Step(f"put {self.user} into the group {', '.join(lacking)}", add, sudo=True)
        if account.shell != self.shell:
            yield Step(f"give {self.user} the shell {self.shell}", f"usermod --shell {shell} -- {user}", sudo=True)
