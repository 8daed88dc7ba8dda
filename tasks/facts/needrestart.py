"""Whether needrestart would stop an installation with a question, or restart services by itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tasks.facts.reading import match, sections, understood


class RestartMode(StrEnum):
    """What needrestart does after packages change."""

    LIST = "l"
    ASK = "i"
    RESTART = "a"


@dataclass(frozen=True, slots=True)
class Needrestart:
    """`mode` is None where no file sets it: then the package's own default holds, which differs by release."""

    installed: bool
    mode: RestartMode | None


@dataclass(frozen=True)
class NeedrestartFact:
    """The host's Needrestart; the variable NEEDRESTART_MODE overrules it for one command.

    Sample: "@@ installed\\nyes\\n@@ modes\\n$nrconf{restart} = 'a';"
    """

    command: str = (
        "echo '@@ installed'; if command -v needrestart >/dev/null 2>&1 || [ -x /usr/sbin/needrestart ]; then "
        "echo yes; else echo no; fi; echo '@@ modes'; for f in /etc/needrestart/needrestart.conf "
        '/etc/needrestart/conf.d/*.conf; do if [ -e "$f" ]; then '
        "grep -hE '^[[:space:]]*[$]nrconf[{]restart[}]' \"$f\"; [ $? -le 1 ] || exit 2; fi; done"
    )

    @understood
    def parse(self, stdout: str) -> Needrestart:
        """The last line that sets the mode wins."""
        (installed,), modes = sections(stdout, "installed", "modes")
        found = [
            match(r"\s*\$nrconf\{restart\}\s*=\s*['\"]([lia])['\"]\s*;.*", line)[1] for line in modes if line.strip()
        ]
        if installed not in ("yes", "no"):
            raise ValueError("neither yes nor no")
        return Needrestart(installed == "yes", RestartMode(found[-1]) if found else None)
