"""Whether our user becomes root on the host, and what stands in between."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tasks.facts.reading import sections, understood, whole


class SudoMode(StrEnum):
    """What `sudo -n true` leads to."""

    ROOT = "we are root"
    PASSWORDLESS = "sudo asks nothing"
    PASSWORD = "sudo asks for a password"
    TTY = "sudo asks for a terminal"
    REFUSED = "sudo refuses this user"
    ABSENT = "sudo is not installed"


_SAID = {
    r"sudo: (a password is required|interactive authentication is required)": SudoMode.PASSWORD,
    r"sudo: (sorry, you must have a tty to run sudo|a terminal is required .*)": SudoMode.TTY,
    r"\S+ is not in the sudoers file\..*|Sorry, user \S+ (may not run sudo|is not allowed to execute) .*": (
        SudoMode.REFUSED
    ),
    r".*sudo: (command )?not found": SudoMode.ABSENT,
}


@dataclass(frozen=True)
class SudoModeFact:
    """Our SudoMode on the host; it is never asked for a password.

    Samples: "@@ uid\\n1000\\n@@ sudo\\nsudo: a password is required\\n@@ exit\\n1",
    "@@ uid\\n0\\n@@ sudo\\n@@ exit\\n0"
    """

    command: str = (
        "echo '@@ uid'; id -u; echo '@@ sudo'; LC_ALL=C sudo -n true 2>&1 < /dev/null; s=$?; echo '@@ exit'; echo $s"
    )

    @understood
    def parse(self, stdout: str) -> SudoMode:
        """By status first, then by the last sentence that is known; an unknown one is not guessed at."""
        (uid,), said, (status,) = sections(stdout, "uid", "sudo", "exit")
        if whole(uid) == 0:
            return SudoMode.ROOT
        if whole(status) == 0:
            return SudoMode.PASSWORDLESS
        known = [mode for line in said for words, mode in _SAID.items() if re.fullmatch(words, line.strip())]
        return known[-1]
