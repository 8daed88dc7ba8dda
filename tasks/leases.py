"""A lease on a host: one run works there at a time, and everybody can read whose it is.

`<root>/lease` holds NAME=value lines; it is read and replaced under flock on `<root>/lease.lock`.  Ages are counted by
the host's uptime, so that a clock that is set neither ends a lease nor keeps it alive.
"""

from __future__ import annotations

import getpass
import re
import socket
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote

from tasks.facts.reading import fields, understood, whole
from tasks.hosts import Host, HostError, lines
from tasks.processes import has_ended, ourselves

STALE_S = 600  # a lease that was not renewed for so long is given to who asks
RENEW_S = 60
_NAMES = ("run", "owner", "process", "boot", "since", "renewed")
_LOCKED = (
    "cd {root} && exec 9>>lease.lock || exit; flock -w 20 9 || {{ echo 'lease.lock stays locked' >&2; exit 75; }}; "
)
_OLD = 'old=$(cat lease 2>/dev/null); field() { printf "%s\\n" "$old" | sed -n "s/^$1=//p"; }; '
_BOOT = "b=$(cat /proc/sys/kernel/random/boot_id) u=$(cut -d. -f1 /proc/uptime); "


class LeaseHeld(HostError):
    """Another run works on this host."""


class LeaseLost(HostError):
    """Another run has taken our lease over: this one was silent for too long."""


class Taken(StrEnum):
    """How a lease was come by."""

    FREE = "free"
    OURS = "ours"
    RESTARTED = "restarted"
    SILENT = "silent"
    DEAD = "dead"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Lease:
    """Whose the host is; `since` as its owner's clock said it, `renewed_s` and all ages by the host's uptime."""

    run: str
    owner: str
    process: str
    boot: str
    since: str
    renewed_s: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host said to a wish for its lease: how, its boot, its uptime, and the lease that was there."""

    how: Taken
    boot: str
    uptime_s: int
    old: Lease | None

    @property
    def silent_s(self) -> int:
        """For how long the old lease was not renewed."""
        return self.uptime_s - self.old.renewed_s if self.old else 0


def owner() -> str:
    """The person and machine that ask, as person@machine."""
    return re.sub(r"[^\w.@-]", "_", f"{getpass.getuser()}@{socket.gethostname()}")


def take(host: Host, root: str, run: str, since: str, *, stale_s: int = STALE_S) -> Answer:
    """Take the host's lease for `run`, or raise LeaseHeld with the name of who has it.

    A lease of another boot, one not renewed for `stale_s` seconds, and one whose process ran on this machine and has
    ended are taken over.
    """
    answer = _wish(host, root, run, since, stale_s, dead="")
    if answer.how is Taken.REFUSED and answer.old and has_ended(answer.old.process):
        answer = _wish(host, root, run, since, stale_s, dead=answer.old.run)
    if answer.how is Taken.REFUSED:
        raise _held(host, root, answer, stale_s)
    return answer


def _wish(host: Host, root: str, run: str, since: str, stale_s: int, dead: str) -> Answer:
    new = {"run": run, "owner": owner(), "process": ourselves(), "since": since}
    text = "".join(f"{name}={value}\n" for name, value in new.items())
    command = (
        _LOCKED.format(root=quote(root)) + _OLD + _BOOT + "r=$(field renewed); case $r in ''|*[!0-9]*) r=$u;; esac; "
        f'if [ -z "$old" ]; then how=free; elif [ "$(field run)" = {quote(run)} ]; then how=ours; '
        f'elif [ "$(field boot)" != "$b" ]; then how=restarted; elif [ "$(field run)" = {quote(dead or "-")} ]; '
        f"then how=dead; elif [ $((u - r)) -ge {stale_s} ]; then how=silent; else how=refused; fi; "
        f'{{ [ $how = refused ] || {{ {{ printf %s {quote(text)}; echo "boot=$b"; echo "renewed=$u"; }} > lease.part '
        "&& sync lease.part && mv -f lease.part lease; }; } && "
        'echo "how=$how" && echo "boot=$b" && echo "uptime=$u" && printf "%s\\n" "$old"'
    )
    return AnswerReader(command).parse(host.run(command).check().stdout)


@dataclass(frozen=True)
class AnswerReader:
    """The Answer in what the host printed.

    Sample: "how=refused\\nboot=1f0c…\\nuptime=812\\nrun=20261122T…-ab12\\nowner=ann@desk\\n…"
    """

    command: str

    @understood
    def parse(self, stdout: str) -> Answer:
        """Three lines of the host's, then the old lease's."""
        said = list(lines(stdout))
        how, boot, uptime = fields("\n".join(said[:3]), "how", "boot", "uptime")
        return Answer(Taken(how), boot, whole(uptime), _lease(said[3:]))


def _lease(said: list[str]) -> Lease | None:
    """None where there is none; what a power loss left unreadable is empty or 0."""
    if not said:
        return None
    found = dict(line.split("=", 1) for line in said if "=" in line)
    run, owned, process, boot, since, renewed = (found.get(name, "") for name in _NAMES)
    return Lease(run, owned, process, boot, since, int(renewed) if renewed.isdecimal() else 0)


def _held(host: Host, root: str, answer: Answer, stale_s: int) -> LeaseHeld:
    old = answer.old
    who = (
        f"{old.owner or 'somebody'} (run {old.run or 'unknown'}, since {old.since or 'unknown'})" if old else "somebody"
    )
    return LeaseHeld(
        f"another run works on this host: {who}; it was heard of {answer.silent_s} s ago",
        where=f"{host.name}: {root}/lease",
        fix=f"wait for it, or talk to its owner; {stale_s} s after its last word, or once the host has restarted, the "
        "lease is taken over by whoever asks. Nothing was changed here",
    )


def read(host: Host, root: str) -> Lease | None:
    """The lease as it is now; None where there is none."""
    return _lease(list(lines(host.run(f"cat {quote(root)}/lease 2>/dev/null || true").check().stdout)))


def renew(host: Host, root: str, run: str) -> bool:
    """Say that `run` is alive; False when the lease is another's by now."""
    rewritten = 'printf "%s\\n" "$old" | grep -v -e ^renewed= -e ^boot=; echo "boot=$b"; echo "renewed=$u"'
    command = f"{_ours(root, run)}{_BOOT}{{ {rewritten}; }} > lease.part && mv -f lease.part lease && echo kept"
    return host.run(command, timeout=30).check().stdout.strip() == "kept"


def release(host: Host, root: str, run: str) -> bool:
    """Give the lease back; False when it was another's by then, and is left alone."""
    return host.run(f"{_ours(root, run)}rm -f lease && echo gone", timeout=30).check().stdout.strip() == "gone"


def _ours(root: str, run: str) -> str:
    """Go on only where the lease is `run`'s."""
    return f'{_LOCKED.format(root=quote(root))}{_OLD}[ "$(field run)" = {quote(run)} ] || {{ echo lost; exit 0; }}; '
