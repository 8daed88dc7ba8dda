"""Which packages the host's own package manager has installed, and in what state."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tasks.facts.reading import filled, match, understood


@dataclass(frozen=True, slots=True)
class SystemPackage:
    """One package; `held` and `complete` from dpkg's state letters, of which RPM has only installed ones."""

    name: str
    version: str
    state: str

    @property
    def held(self) -> bool:
        """Whether the package manager must leave its version alone."""
        return self.state.startswith("h")

    @property
    def complete(self) -> bool:
        """Whether it is unpacked and configured without error."""
        return self.state[1:] == "i"


@dataclass(frozen=True)
class SystemPackageFact:
    """Every SystemPackage whose name fits one of `patterns` ("libnccl*"); none where none is installed.

    Sample: "@@ packages\\nlibnccl2\\t2.27.7-1+cuda13.0\\tii \\n@@ end"; the letters are dpkg's (wanted, state, error).
    """

    patterns: tuple[str, ...]

    @property
    def command(self) -> str:
        """Dpkg-query where there is a dpkg database, else rpm; status 127 where there is neither."""
        words = " ".join(map(shlex.quote, self.patterns))
        # dpkg-query ends with 1 where one pattern fits nothing, which is an answer; 2 is an error
        return (
            "echo '@@ packages'; if [ -e /var/lib/dpkg/status ]; then "
            "LC_ALL=C dpkg-query -W -f='${Package}\\t${Version}\\t${db:Status-Abbrev}\\n' "
            f"{words}; [ $? -le 1 ] || exit; "
            f"elif command -v rpm >/dev/null 2>&1; then LC_ALL=C rpm -qa --qf '%{{NAME}}\\t%{{EVR}}\\tii \\n' {words} "
            "|| exit; else echo 'neither dpkg nor rpm' >&2; exit 127; fi; echo '@@ end'"
        )

    @understood
    def parse(self, stdout: str) -> tuple[SystemPackage, ...]:
        """One a line between the marks; names that dpkg only remembers are left out."""
        first, *lines, last = stdout.splitlines()
        if (first, last) != ("@@ packages", "@@ end"):
            raise ValueError("cut short")
        found = [line.split("\t") for line in lines]
        letters = r"[uirph][ncHUFWti][ R]?"
        packages = [(name, version, match(letters, state).group().strip()) for name, version, state in found]
        return tuple(
            SystemPackage(filled(name), filled(version), state)
            for name, version, state in packages
            if state[1] not in "nc"
        )
