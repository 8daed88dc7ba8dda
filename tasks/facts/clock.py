"""How right the clock of a host is, by its own time service and by ours."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tasks.facts.base import look
from tasks.facts.reading import Reading, choice, fields, match, number, understood, whole
from tasks.hosts import Host

_LOCAL = "7F7F0101"  # chrony's name for its own clock as the source


@dataclass(frozen=True, slots=True)
class ClockSync:
    """`offset_s` is how far the host's clock is ahead of its source; timedatectl knows only whether it is set."""

    source: str
    synchronized: bool
    offset_s: Reading[float]


@dataclass(frozen=True, slots=True)
class ClockDifference:
    """How far the host's clock is ahead of ours, and the most by which that number can be wrong."""

    seconds: float
    bound_s: float


@dataclass(frozen=True)
class ClockSyncFact:
    """The host's ClockSync: from chrony, else ntpd, else systemd.

    Samples: "@@ chrony\\nReference ID    : 55C7D664 (85.199.214.100)\\n…", "@@ ntpd\\nassocid=0 … offset=0.671, …",
    "@@ systemd\\nNTP=yes\\nNTPSynchronized=yes"
    """

    command: str = (
        "export LC_ALL=C; if o=$(chronyc tracking 2>/dev/null); then echo '@@ chrony'; echo \"$o\"; "
        'elif o=$(ntpq -c rv 2>/dev/null) && [ -n "$o" ]; then echo \'@@ ntpd\'; echo "$o"; '
        "else o=$(timedatectl show -p NTP -p NTPSynchronized) || exit; echo '@@ systemd'; echo \"$o\"; fi"
    )

    @understood
    def parse(self, stdout: str) -> ClockSync:
        """Read the one service that answered."""
        first, _, rest = stdout.partition("\n")
        return {"@@ chrony": _chrony, "@@ ntpd": _ntpd, "@@ systemd": _systemd}[first.strip()](rest)


@dataclass(frozen=True)
class HostTimeFact:
    """The host's clock in seconds since 1970.

    Sample: "1795370812.123456789"
    """

    command: str = "date +%s.%N"

    @understood
    def parse(self, stdout: str) -> float:
        """Read the one number; nine digits after the point, or the host's `date` has no %N."""
        return number(match(r"[0-9]{9,11}\.[0-9]{9}", stdout.strip()).group())


def clock_difference(host: Host) -> ClockDifference:
    """The ClockDifference by the quickest of three looks: the host read its clock between our two readings."""
    return min((_difference(host) for _ in range(3)), key=lambda difference: difference.bound_s)


def _difference(host: Host) -> ClockDifference:
    before, start = time.time(), time.monotonic()
    there = look(host, HostTimeFact())
    half = (time.monotonic() - start) / 2
    return ClockDifference(there - (before + half), half)


def _chrony(text: str) -> ClockSync:
    lines = dict(line.split(":", 1) for line in text.splitlines() if line.strip())
    said = {name.strip(): value.strip() for name, value in lines.items()}
    offset = match(r"([0-9.]+) seconds (slow|fast) of NTP time", said["System time"])
    seconds = number(offset[1]) * (-1 if offset[2] == "slow" else 1)
    source = match(r"([0-9A-F]{8})\b.*", said["Reference ID"])[1]
    set_ = said["Leap status"] in ("Normal", "Insert second", "Delete second")
    return ClockSync("chrony", set_ and source not in (_LOCAL, "00000000"), Reading(seconds))


def _ntpd(text: str) -> ClockSync:
    said = " ".join(text.split())
    offset = match(r".*\boffset=([+-]?[0-9.]+)\b.*", said)[1]
    stratum = whole(match(r".*\bstratum=([0-9]+)\b.*", said)[1])
    # ntpd gives its own offset as source minus host, in milliseconds
    return ClockSync("ntpd", stratum < 16 and "leap_alarm" not in said, Reading(-number(offset) / 1000))


def _systemd(text: str) -> ClockSync:
    _, synchronized = fields(text, "NTP", "NTPSynchronized")
    return ClockSync(
        "systemd", choice(synchronized, "yes", "no"), Reading(None, "timedatectl does not tell the offset")
    )
