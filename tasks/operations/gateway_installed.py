"""nginx with its Perl module is on the host; the distribution's own nginx service is neither started nor touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inventories.errors import BadInput
from tasks.facts.base import look
from tasks.facts.nginx import Nginx, NginxFact
from tasks.facts.operating_system import OperatingSystemFact, PackageFamily
from tasks.facts.sudo_mode import SudoMode, SudoModeFact
from tasks.hosts import Host
from tasks.operations.apt import install, install_step
from tasks.operations.base import Step

PACKAGES = ("nginx", "libnginx-mod-http-perl")
ELSEWHERE = "nginx and nginx-mod-http-perl"  # Fedora's and RHEL's names
_CAN_BE_ROOT = (SudoMode.ROOT, SudoMode.PASSWORDLESS, SudoMode.PASSWORD)
# Installing nginx starts its service, on port 80 of every address.  With systemd the unit is masked until the next
# start of the host and disabled; without, dpkg's own policy hook says no, for this service and this call alone.
_HUSHED = (
    "hook=/usr/sbin/policy-rc.d made=; "
    "if [ -d /run/systemd/system ]; then systemctl mask --runtime --quiet nginx.service; "
    "elif [ ! -e $hook ]; then printf '#!/bin/sh\\ncase \"$1\" in nginx|nginx.service) exit 101;; esac\\n' > $hook && "
    'chmod 755 $hook && made=1; fi; ( {install} ); status=$?; [ -z "$made" ] || rm -f $hook; '
    "if [ -d /run/systemd/system ]; then systemctl unmask --runtime --quiet nginx.service; "
    "systemctl disable --quiet nginx.service 2>/dev/null; fi; exit $status"
)


@dataclass(frozen=True)
class GatewayInstalled:
    """An nginx that can run Perl.  Where nginx itself is there already, only its module is added."""

    @property
    def name(self) -> str:
        """For a person."""
        return "nginx with its Perl module"

    def plan(self, host: Host) -> Iterator[Step]:
        """One apt call; BadInput where that can't be: another system, or no way to become root."""
        found = look(host, NginxFact())
        if found.usable:
            return
        self._can_install(host, found)
        words = PACKAGES[1:] if found.program else PACKAGES
        step = install_step(words, why=f"install {' '.join(words)}, without starting its service")
        # A running service of the host's own is left alone: dpkg restarts none for a module.
        command = step.command if found.program else _HUSHED.replace("{install}", install(words))
        yield Step(step.why, command, timeout=step.timeout, sudo=True, long=True)

    def _can_install(self, host: Host, found: Nginx) -> None:
        missing = "nginx's Perl module" if found.program else "nginx"
        if look(host, OperatingSystemFact()).family is not PackageFamily.APT:
            raise _missing(host, missing, ELSEWHERE)
        if look(host, SudoModeFact()) not in _CAN_BE_ROOT:
            raise _missing(host, missing, " and ".join(PACKAGES))


def _missing(host: Host, what: str, packages: str) -> BadInput:
    return BadInput(
        f"{what} is not installed, and it can't be installed from here",
        where=host.name,
        fix=f"install {packages} there (its service need not run), then run again",
    )
