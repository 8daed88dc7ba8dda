"""The one shape of bad news for a person: what is wrong, where, and what to do next."""

from __future__ import annotations


class Problem(Exception):
    """Something the operator can mend.  The command line prints it without a traceback and exits with 2.

    `what` is the fault, `where` the file, host or address it was met at, `fix` the next thing to do.
    """

    def __init__(self, what: str, *, where: str, fix: str) -> None:
        super().__init__(what)
        self.what, self.where, self.fix = what, where, fix

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  next:  {self.fix}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.fix))


class BadInput(Problem):
    """The inventory, the command line or the catalog is at fault; nothing was touched."""


def _rebuild(kind: type[Problem], what: str, where: str, fix: str) -> Problem:
    return kind(what, where=where, fix=fix)
