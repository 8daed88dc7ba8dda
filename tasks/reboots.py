"""A restart of a host as a step: a bounded wait, another boot id, the kernel that was expected, and no second try."""

from __future__ import annotations

import time
from collections.abc import Callable

from tasks.facts.base import look
from tasks.facts.boot import Boot, BootFact
from tasks.hosts import CommandFailed, DeadlineExceeded, Host, HostError, HostKeyChanged, UnknownHostKey, Unreachable

POLL_S = 1.0
ASK_S = 10.0  # for one look at the boot id


class HostLost(Unreachable):
    """The host was told to restart and did not come back in time.  It is not restarted again."""


class NotRestarted(HostError):
    """The host answers, and it is still the same boot."""


class WrongKernel(HostError):
    """The host came back with another kernel than the step needs."""


def restart(
    host: Host,
    command: str,
    *,
    within_s: float,
    kernel: str = "",
    say: Callable[[str], None] = lambda _: None,
    poll_s: float = POLL_S,
) -> Boot:
    """Run `command` as root, which restarts the host, and give its new Boot.

    Raises HostLost, NotRestarted or WrongKernel; a changed host key is raised as what it is.
    """
    before = look(host, BootFact())
    began = time.monotonic()
    _ask(host, command)
    host.close()  # the connection ends with the boot; the next command opens a new one
    after = _wait(host, before, began + within_s, within_s, poll_s)
    took = time.monotonic() - began
    say(f"{host.name}: back after {took:.0f} s with kernel {after.kernel}")
    if kernel and after.kernel != kernel:
        raise WrongKernel(
            f"the host restarted with kernel {after.kernel}, and {kernel} was expected (before: {before.kernel})",
            where=host.name,
            fix="see which entry its boot loader starts (GRUB_DEFAULT, grub-editenv list); it was not restarted again",
        )
    return after


def _ask(host: Host, command: str) -> None:
    """The restart may cut the answer off; only a command that failed says that nothing began."""
    try:
        ran = host.run(command, timeout=30, sudo=True)
    except (Unreachable, DeadlineExceeded):
        return
    if ran.exit not in (0, 143, 255):  # 143, 255: ended by the shutdown itself
        raise CommandFailed(ran)


def _wait(host: Host, before: Boot, deadline: float, within_s: float, poll_s: float) -> Boot:
    last: HostError | None = None
    while time.monotonic() < deadline:
        try:
            boot = look(host, BootFact(), timeout=max(1.0, min(ASK_S, deadline - time.monotonic())))
        except (HostKeyChanged, UnknownHostKey):
            raise
        except HostError as not_yet:
            last = not_yet
            host.close()
        else:
            last = None
            if boot.id != before.id:
                return boot
        time.sleep(min(poll_s, max(0.0, deadline - time.monotonic())))
    raise _lost(host, before, within_s, last)


def _lost(host: Host, before: Boot, within_s: float, last: HostError | None) -> HostError:
    if last is None:
        return NotRestarted(
            f"{within_s:g} s after it was told to restart, the host still runs boot {before.id}",
            where=host.name,
            fix="see `systemctl list-jobs` and `journalctl -b` on the host: what holds its shutdown up?",
        )
    return HostLost(
        f"lost: {within_s:g} s after its restart the host does not answer ({last.what}); its boot was {before.id}, "
        f"kernel {before.kernel}",
        where=host.name,
        fix="look at it out of band (BMC, IPMI serial-over-LAN, the cloud's serial console): it may wait in the boot "
        "loader, for a MOK password or for a file system check; it is not restarted a second time",
    )
